// SPDX-License-Identifier: Apache-2.0

// actor makes real processes whose Landlock domains are known, because each of
// them made its own.
//
//	actor --forest SEED PROCESSES SITE   grow, print the truth, wait for stdin to end
//	actor --churn SEED LIMIT             keep moving until stdin ends
//	actor --swing SITE                   be where others move the roots
//	actor --runs SEED LIVES QUICK GROUPS end, and say how
//
// Either way the process that was started is the coordinator: the subreaper of
// everything else. It ends when nothing is left of it. PR_SET_PDEATHSIG is not
// used: it fires when the creating *thread* ends, and threads and orphans are
// the point here. Instead every process watches a pipe that hangs up with the
// coordinator.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "churn.h"
#include "forest.h"
#include "reap.h"
#include "runlife.h"
#include "runs.h"
#include "swing.h"
#include "sys.h"
#include "table.h"

static void pipe_at(int reader, int writer)
{
	int p[2];

	if (pipe(p) || dup2(p[0], reader) < 0 || dup2(p[1], writer) < 0) {
		perror("pipe");
		_exit(1);
	}
	close(p[0]);
	close(p[1]);
}

static void open_bin(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n < 0) {
		perror("/proc/self/exe");
		_exit(1);
	}
	path[n] = 0;
	*strrchr(path, '/') = 0;
	open_at(FD_BIN, path);
}

static void coordinate(void)
{
	open_bin();
	pipe_at(FD_GO, FD_GO_END);
	pipe_at(FD_LIFE, FD_LIFE_END);
	signal(SIGPIPE, SIG_IGN);
	// A parent may have left SIGCHLD ignored, and then there are no zombies.
	signal(SIGCHLD, SIG_DFL);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1)) {
		perror("subreaper");
		_exit(1);
	}
	table_create();
	table->coordinator = getpid();
	table->abi = ll_abi();
	if (table->abi > 0)
		table->rights = ll_rights();
}

static int usage(void)
{
	fprintf(stderr, "usage: actor --forest SEED PROCESSES SITE | --churn SEED LIMIT | --swing SITE\n"
			"       actor --runs SEED LIVES QUICK GROUPS\n");
	return 2;
}

static int finish(void)
{
	unsigned long n = reap_all();

	if (table->failed[0]) {
		fprintf(stderr, "actor: %s\n", table->failed);
		return 1;
	}
	fprintf(stderr, "reaped %lu\n", n);
	return 0;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	char c;

	if (argc == 3 && !strcmp(mode, "--swing")) {
		coordinate();
		swing_start(argv[2]);
	} else if (argc == 5 && !strcmp(mode, "--forest")) {
		coordinate();
		forest_plant(strtoull(argv[2], NULL, 10), strtoul(argv[3], NULL, 10), argv[4]);
		forest_report();
	} else if (argc == 6 && !strcmp(mode, "--runs")) {
		coordinate();
		runs_play(strtoull(argv[2], NULL, 10), atoi(argv[3]), atoi(argv[4]), atoi(argv[5]));
	} else if (argc == 3 && !strcmp(mode, "--run")) {
		table_attach();
		run_resume(atoi(argv[2]));
	} else if (argc != 4) {
		return usage();
	} else if (!strcmp(mode, "--resume")) {
		table_attach();
		forest_resume(atoi(argv[2]), atoi(argv[3]));
	} else if (!strcmp(mode, "--alive")) {
		table_attach();
		churn_resume(strtoull(argv[2], NULL, 10), atoi(argv[3]));
	} else if (!strcmp(mode, "--manage")) {
		table_attach();
		churn_manage(atoi(argv[2]), strtoull(argv[3], NULL, 10));
	} else if (!strcmp(mode, "--churn")) {
		// Handed over as the first descriptor behind the standard ones.
		if (dup2(3, FD_LIVES) < 0) {
			perror("the file of lives");
			return 1;
		}
		close(3);
		coordinate();
		churn_start(strtoull(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
	} else {
		return usage();
	}
	while (!table->failed[0] && read(STDIN_FILENO, &c, 1) > 0)
		;
	table->stop = 1;
	return finish();
}

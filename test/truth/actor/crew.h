// SPDX-License-Identifier: Apache-2.0

// The threads of one process. One of them holds the baton and acts, all others
// sleep: what a process does is a sequence, whichever thread does each step,
// and needs no other lock.
#ifndef CREW_H
#define CREW_H

#include <stdint.h>
#include <sys/types.h>

#define CREW_MAX 8
#define CREW_PARK (-1)

struct crew_plan {
	// joined is called in a new thread, before its creator goes on.
	void (*joined)(int creator, int me);
	// step does one thing in thread me and returns who acts next, or
	// CREW_PARK when the process has nothing left to do.
	int (*step)(int me);
	// parked is called in every live thread once it has parked.
	void (*parked)(int me);
};

// crew_run makes the calling thread member 0 of a new crew and never returns.
// To be called first thing in a new process and in a new image.
void crew_run(const struct crew_plan *plan) __attribute__((noreturn));

// The live members; a leader that has exited is none.
int crew_alive(int i);
int crew_live(void);
// crew_ever is the number of members since crew_run, the dead ones included.
int crew_ever(void);
// crew_pick returns the nth live member other than but (-1: nobody).
int crew_pick(int nth, int but);
// crew_after returns the next live member behind i, or -1.
int crew_after(int i);
pid_t crew_tid(int i);

// The moves that every crew has. Those of one kind of process come behind them.
enum crew_move {
	MOVE_REST,
	MOVE_RESTRICT,
	MOVE_THREAD,
	MOVE_THREAD_EXIT,
	MOVE_LEADER_EXIT,
	MOVE_EXEC,
	MOVE_EXEC_THREAD,
	CREW_MOVES,
};

// crew_draw plans a move by the weights of n, and returns who does it. One that nobody can
// make at this moment is MOVE_REST.
int crew_draw(uint64_t *rng, const uint8_t *weights, int n, int *move);

// crew_add starts a thread and returns its number once it has joined.
int crew_add(int me);
// crew_leave hands over and ends this thread alone. Where member 0 is the
// group's leader, the process lives on with a zombie leader.
void crew_leave(int me, int next) __attribute__((noreturn));

// crew_await_end is task_await_end of a member.
int crew_await_end(int i);

#endif

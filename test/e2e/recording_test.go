// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

var record = flag.Bool("e2e.record", false, "write docs/demo.cast and docs/demo.svg anew, of what the demo shows")

const (
	castFile = "../../docs/demo.cast"
	svgFile  = "../../docs/demo.svg"
)

// scene is a command and what it printed.
type scene struct{ command, output string }

// recorded are what the recording shows of the demo.
var recorded = []string{"services --workload=demo-*", "ps --workload=demo-*", "check"}

// demoScenes runs the commands of the recording against the daemon of a demo, of which text is
// what it printed and dir its directory. Where that is, is left out: on a host it is a default.
func demoScenes(t *testing.T, text, dir string) []scene {
	t.Helper()
	var scenes []scene
	for _, command := range recorded {
		args := append(strings.Fields(command), "--api.socket="+dir+"/socket")
		if command != recorded[1] {
			args = append(args, "--config.file="+dir+"/rules.yml")
		}
		// check ends with 1: rules are violated.
		out, err := exec.Command(landlockd, args...).Output()
		if err != nil && command != "check" {
			t.Fatalf("%s: %v\n%s", command, err, text)
		}
		output := strings.ReplaceAll(string(out), dir, "/tmp/demo")
		output, _, _ = strings.Cut(output, "By the daemon at ")
		scenes = append(scenes, scene{"landlockd " + command, output})
	}
	return scenes
}

// checkRecording compares the words of a demo with those of its recording, or records it.
func checkRecording(t *testing.T, scenes []scene) {
	t.Helper()
	if *record {
		for file, content := range map[string]string{castFile: cast(scenes), svgFile: svg(scenes)} {
			if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	var want strings.Builder
	for _, s := range scenes {
		want.WriteString("# " + s.command + "\n" + s.output)
	}
	shown := readCast(t)
	if a, b := demoWords(shown), demoWords(want.String()); a != b {
		t.Errorf("docs/demo.cast shows\n%s\nand the demo now shows\n%s\nrecord it: "+
			"go test ./test/e2e -run TestMakeDemo -e2e.record", a, b)
	}
	picture, err := os.ReadFile(svgFile)
	if err != nil {
		t.Fatal(err)
	}
	text := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(string(picture), ""))
	if a, b := strings.Fields(text), strings.Fields(shown); strings.Join(a, " ") != strings.Join(b, " ") {
		t.Errorf("docs/demo.svg shows other words than docs/demo.cast:\n%q\n%q", a, b)
	}
}

// differs is what no two demos have alike: IDs, times, numbers and ages.
var differs = regexp.MustCompile(`\b(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|[0-9a-f]*\d[0-9a-f]*|(?:\d+[smhd])+)\b`)

// ofHost begins lines about all of the host.
var ofHost = regexp.MustCompile(`^(?:Not shown: |N (?:workload|process))`)

// demoWords returns the words of a session in which all that differs from run to run is the same,
// without what is said of the rest of the host.
func demoWords(text string) string {
	var lines []string
	for line := range strings.Lines(differs.ReplaceAllString(text, "N")) {
		if words := strings.Join(strings.Fields(line), " "); !ofHost.MatchString(words) {
			lines = append(lines, words)
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// cast returns a session in the form of asciinema (asciicast v2). The words are real; the time
// that somebody takes to type and to read is not.
func cast(scenes []scene) string {
	const key, pause = 0.04, 4.0
	var b strings.Builder
	columns, rows := extent(scenes)
	fmt.Fprintf(&b, `{"version": 2, "width": %d, "height": %d, "title": "landlockd: make demo"}`+"\n", columns, rows)
	now := 0.5
	write := func(text string) {
		quoted, _ := json.Marshal(strings.ReplaceAll(text, "\n", "\r\n"))
		fmt.Fprintf(&b, "[%.2f, \"o\", %s]\n", now, quoted)
	}
	for _, s := range scenes {
		write("# ")
		for _, c := range s.command {
			now += key
			write(string(c))
		}
		now += 0.3
		write("\n" + s.output)
		now += pause
	}
	return b.String()
}

// readCast returns what the recording shows.
func readCast(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(castFile)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for i, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		var event []any
		if i == 0 {
			continue
		}
		if err := json.Unmarshal([]byte(line), &event); err != nil || len(event) != 3 {
			t.Fatalf("%s: %q: %v", castFile, line, err)
		}
		text.WriteString(event[2].(string))
	}
	return strings.ReplaceAll(text.String(), "\r\n", "\n")
}

// extent returns how many columns and rows scenes take one below the other.
func extent(scenes []scene) (columns, rows int) {
	for _, s := range scenes {
		for line := range strings.Lines("# " + s.command + "\n" + s.output) {
			columns, rows = max(columns, utf8.RuneCountInString(strings.TrimRight(line, "\n"))), rows+1
		}
	}
	return columns, rows
}

// colors are those of words that matter, as a terminal shows them.
var colors = []struct {
	words *regexp.Regexp
	color string
}{
	{regexp.MustCompile(`\b(unsandboxed|violated|violating)\b`), "#ff7b72"},
	{regexp.MustCompile(`\b(partial|ineffective|restricts_nothing)\b`), "#e3b341"},
	{regexp.MustCompile(`\b(sandboxed|compliant)\b`), "#7ee787"},
}

// svg draws a session as a picture of a terminal.
func svg(scenes []scene) string {
	const wide, high, margin = 7.9, 17, 14
	columns, rows := extent(scenes)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%d" font-family="ui-monospace,monospace" font-size="13">`+"\n"+
		`<rect width="100%%" height="100%%" rx="6" fill="#0d1117"/>`+"\n", float64(columns)*wide+2*margin, rows*high+2*margin)
	y := margin
	for _, s := range scenes {
		for line := range strings.Lines("# " + s.command + "\n" + s.output) {
			y += high
			text := html.EscapeString(strings.TrimRight(line, "\n"))
			for _, c := range colors {
				text = c.words.ReplaceAllString(text, `<tspan fill="`+c.color+`">$0</tspan>`)
			}
			color := "#c9d1d9"
			if strings.HasPrefix(text, "# ") {
				color = "#79c0ff"
			}
			fmt.Fprintf(&b, `<text x="%d" y="%d" fill="%s" xml:space="preserve">%s</text>`+"\n", margin, y-4, color, text)
		}
	}
	return b.String() + "</svg>\n"
}

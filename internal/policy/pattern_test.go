// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/landlockd/landlockd/scan"
)

func TestPattern(t *testing.T) {
	for _, c := range []struct {
		pattern string
		yes, no []string
	}{
		{"a.service", []string{"a.service"}, []string{"", "a.servic", "a.services", "xa.service", "axservice"}},
		{"*.service", []string{".service", "a.service", "a.service.service"}, []string{"a/b.service", "user@1000/a.service", "a.serviceX"}},
		{"a*b*c", []string{"abc", "aXbXc", "abbcc", "abcbc"}, []string{"ab", "abcX", "a/bc", "ab/c"}},
		{"**", []string{"", "a", "/a/b"}, nil},
		{"*", []string{"", "a"}, []string{"/", "a/b"}},
		{"/a/**", []string{"/a/", "/a/b", "/a/b/c"}, []string{"/a", "/ab"}},
		{"/**/x", []string{"//x", "/a/x", "/a/b/x", "/x/x"}, []string{"/x", "/a/xx", "/a/x/"}},
		{"/*/x/*.so", []string{"/a/x/b.so"}, []string{"/a/b/x/c.so", "/a/x/b/c.so"}},
		{"**a*b", []string{"ab", "/a/ab", "aXb/ab", "/x/aab"}, []string{"a/b", "ab/"}},
		{"**a*/b*c", []string{"a/bc", "x/aX/bXc", "a/b/aa/bc"}, []string{"a/b/c", "aa/xbc"}},
		{"a?c", []string{"abc", "aéc", "a\xffc"}, []string{"ac", "a/c", "abbc"}},
		{"a[b-d]e", []string{"abe", "ace", "ade"}, []string{"aae", "aee", "ae", "a[b-d]e"}},
		{"a[!b-d]e", []string{"aae", "aée", "a\xffe"}, []string{"abe", "a/e", "ae"}},
		{"a[^b]", []string{"ac"}, []string{"ab", "a^/"}},
		{"[]a]", []string{"]", "a"}, []string{"[", ""}},
		{"[!]]", []string{"a"}, []string{"]"}},
		{"[a-]", []string{"a", "-"}, []string{"b"}},
		{"[é-ü]", []string{"ö"}, []string{"z", "\xc3"}},
		{"[*]", []string{"*"}, []string{"a", ""}},
		// A backslash is itself, as in names of units.
		{`dev-*\x2duuid.device`, []string{`dev-a\x2duuid.device`}, []string{`dev-a-uuid.device`}},
		{"re:a|b", []string{"a", "b"}, []string{"ab", "a|b", "xa", "bx", "a\n", "re:a|b"}},
		{"re:(?i)A.*", []string{"a", "AB"}, []string{"a\nb", "ba"}},
		{"re:", []string{""}, []string{"a"}},
	} {
		p, err := ParsePattern(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		for _, text := range c.yes {
			if !p.Match(text) {
				t.Errorf("%q does not match %q", c.pattern, text)
			}
		}
		for _, text := range c.no {
			if p.Match(text) {
				t.Errorf("%q matches %q", c.pattern, text)
			}
		}
	}
}

// translate returns the regular expression of a glob.
func translate(glob string) *regexp.Regexp {
	var b strings.Builder
	for len(glob) > 0 {
		switch {
		case strings.HasPrefix(glob, "**"):
			b.WriteString(".*")
			glob = glob[2:]
		case glob[0] == '*':
			b.WriteString("[^/]*")
			glob = glob[1:]
		case glob[0] == '?':
			b.WriteString("[^/]")
			glob = glob[1:]
		case glob[0] == '[':
			set, rest, ok := cutSet(glob)
			if !ok {
				return nil
			}
			not := glob[1] == '!' || glob[1] == '^'
			var in []string
			for len(set) > 0 {
				var lo, hi rune
				lo, hi, set = nextRange(set)
				if lo > hi {
					return nil
				}
				// The slash is in no set.
				switch {
				case lo <= '/' && hi >= '/' && !not:
					if lo < '/' {
						in = append(in, span(lo, '/'-1))
					}
					if hi > '/' {
						in = append(in, span('/'+1, hi))
					}
				default:
					in = append(in, span(lo, hi))
				}
			}
			switch {
			case not:
				b.WriteString("[^/" + strings.Join(in, "") + "]")
			case len(in) == 0:
				b.WriteString(`[^\x00-\x{10FFFF}]`)
			default:
				b.WriteString("[" + strings.Join(in, "") + "]")
			}
			glob = rest
		default:
			r, n := utf8.DecodeRuneInString(glob)
			b.WriteString(regexp.QuoteMeta(string(r)))
			glob = glob[n:]
		}
	}
	re, err := regexp.Compile(`(?s)\A(?:` + b.String() + `)\z`)
	if err != nil {
		return nil
	}
	return re
}

func span(lo, hi rune) string { return quoteRune(lo) + "-" + quoteRune(hi) }

func quoteRune(r rune) string {
	const hex = "0123456789abcdef"
	text := ""
	for n := uint32(r); n > 0 || text == ""; n /= 16 {
		text = string(hex[n%16]) + text
	}
	return `\x{` + text + `}`
}

// comparable reports whether a regular expression can mean the same: it takes a byte
// that is not UTF-8 for the character that stands for one.
func comparableText(text string) bool { return !strings.ContainsRune(text, utf8.RuneError) }

func checkGlobAgainstRegexp(t *testing.T, glob, text string) {
	p, err := ParsePattern(glob)
	if err != nil {
		return
	}
	re := translate(glob)
	if re == nil {
		t.Fatalf("%q is no glob, and no error says so", glob)
	}
	if got, want := p.Match(text), re.MatchString(text); got != want {
		t.Fatalf("%q matches %q: %v, want %v as of %s", glob, text, got, want, re)
	}
}

func TestGlobIsWhatItSays(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func(parts []string, n int) string {
		var b strings.Builder
		for range rnd.IntN(n) {
			b.WriteString(parts[rnd.IntN(len(parts))])
		}
		return b.String()
	}
	matched := 0
	for range 40_000 {
		glob := pick([]string{"a", "b", "/", "*", "**", "?", "[ab]", "[!a]", "é", "ab"}, 8)
		text := pick([]string{"a", "b", "/", "é", "ab"}, 10)
		if glob == "" {
			continue
		}
		checkGlobAgainstRegexp(t, glob, text)
		if p, err := ParsePattern(glob); err == nil && p.Match(text) {
			matched++
		}
	}
	if matched < 2_000 {
		t.Errorf("only %d match: this says little", matched)
	}
}

// No glob takes exponential time: this would never end.
func TestGlobDoesNotExplode(t *testing.T) {
	long := strings.Repeat("a", 4000)
	for _, glob := range []string{
		strings.Repeat("*a", 200) + "b", strings.Repeat("**a", 150) + "b", strings.Repeat("**/*a", 100) + "b", "**" + strings.Repeat("a*", 200) + "b/c",
	} {
		p, err := ParsePattern(glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{long, long + "/" + long, strings.Repeat("/a", 2000), strings.Repeat("aaaa/", 800)} {
			if p.Match(text) {
				t.Errorf("%.20s... matches", glob)
			}
		}
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("**a*[b-c]?", "xx/abcd")
	f.Add("[!a]*", "b/")
	f.Add("[", "[")
	f.Fuzz(func(t *testing.T, glob, text string) {
		if strings.HasPrefix(glob, "re:") || !comparableText(glob) || !comparableText(text) {
			return
		}
		checkGlobAgainstRegexp(t, glob, text)
	})
}

func BenchmarkGlob(b *testing.B) {
	for name, c := range map[string][2]string{
		"usual": {"/system.slice/**/web@*.service", "/system.slice/system-web.slice/web@example.service"},
		"worst": {"**a*b/", strings.Repeat("a", 4000) + "/"},
	} {
		p, err := ParsePattern(c[0])
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Match(c[1])
			}
		})
	}
}

// TestBeginnings: where only the beginning of a text is known, a pattern's level holds
// however the text goes on.
func TestBeginnings(t *testing.T) {
	long := "/home/u/" + strings.Repeat("d", scan.CutPath)
	for _, c := range []struct {
		pattern, beginning string
		want               level
	}{
		{"/usr/bin/x", "", no}, {"/usr/*/x", "", no}, {"/usr/**", "", no}, {"re:/usr/.*", "", no}, {"re:.*", "", no},
		{"**", "", yes}, {"/**", "", yes}, {"/**/**", "", no}, {"*", "", no}, {"/usr**", "", no},
		{"/usr/bin/x", long, no}, {"/usr/**", long, no}, {"re:/usr/.*", long, no},
		{"/home/**", long, yes}, {"/home/u/**", long, yes}, {"/home/*/**", long, yes}, {"/home/v/**", long, no},
		{"/home/**/x", long, unknown}, {"/home/*", long, no}, {"/home/u/*", long, unknown},
		{"**", long, yes}, {"**/x", long, unknown}, {"re:.*", long, unknown}, {"re:/home/u/d.*", long, unknown},
		{long, long, no}, {long + "/x", long, unknown}, {long + "x", long, unknown}, {"/home/u/e*", long, no},
	} {
		p, err := ParsePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.matchBeginning(c.beginning); got != c.want {
			t.Errorf("%.40s of %.20s...: %v, want %v", c.pattern, c.beginning, got, c.want)
		}
	}
}

// FuzzBeginning: the level of a beginning holds for every text that begins so.
func FuzzBeginning(f *testing.F) {
	f.Add("/home/**", "/home/u/", "x/y")
	f.Add("re:/home/.*x", "/home/u", "x")
	f.Add("/h?me/[a-z]*/**", "/home/u", "/v/w")
	f.Fuzz(func(t *testing.T, pattern, beginning, rest string) {
		p, err := ParsePattern(pattern)
		if err != nil || beginning == "" || rest == "" {
			return
		}
		switch p.matchBeginning(beginning) {
		case yes:
			if !p.Match(beginning + rest) {
				t.Errorf("%q is sure of %q, but does not match %q", pattern, beginning, beginning+rest)
			}
		case no:
			if p.Match(beginning + rest) {
				t.Errorf("%q excludes %q, but matches %q", pattern, beginning, beginning+rest)
			}
		}
	})
}

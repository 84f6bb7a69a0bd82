// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"

	"github.com/landlockd/landlockd/internal/nearest"
	"github.com/landlockd/landlockd/internal/plural"
)

// wrongUsage is a command line that the parser refused. What is to be said of it is worked out
// anew: the parser's errors leave out which flag a value is of, and have the words of Go.
type wrongUsage struct {
	app     *kingpin.ApplicationModel
	args    []string
	parsed  *kingpin.ParseContext
	command *kingpin.CmdModel
	// assumed: no command is named, so that it is the default.
	assumed bool
	// help is what to ask for more.
	help string
}

// usageOf returns in people's words what is wrong with a command line.
func usageOf(app *kingpin.Application, args []string, refused error) error {
	parsed, err := app.ParseContext(args)
	u := &wrongUsage{app: app.Model(), args: args, parsed: parsed, command: &kingpin.CmdModel{
		FullCommand: app.Name, FlagGroupModel: &kingpin.FlagGroupModel{},
		ArgGroupModel: &kingpin.ArgGroupModel{}, CmdGroupModel: &kingpin.CmdGroupModel{},
	}, help: "--help"}
	if c := parsed.SelectedCommand; c != nil {
		u.command = c.Model()
		u.command.FullCommand = c.FullCommand()
		u.help = c.FullCommand() + " --help"
		u.assumed = c.Model().Default && !slices.Contains(args, c.Model().Name)
	}
	var problem string
	if err == nil {
		problem = u.values(refused)
	} else {
		problem = u.words(refused)
	}
	return usagef("%s (try %s)", problem, u.help)
}

// values is about a command line of which every word is known.
func (u *wrongUsage) values(refused error) string {
	given := map[string]bool{}
	for _, e := range u.parsed.Elements {
		var name string
		var value kingpin.Value
		switch c := e.Clause.(type) {
		case *kingpin.FlagClause:
			name, value = "--"+c.Model().Name, c.Model().Value
		case *kingpin.ArgClause:
			name, value = strings.ToUpper(c.Model().Name), c.Model().Value
			given[c.Model().Name] = true
		default:
			continue
		}
		if err := value.Set(*e.Value); err != nil {
			return fmt.Sprintf("%s %q: %s", name, *e.Value, wanted(name, *e.Value, err))
		}
	}
	if len(u.command.Commands) > 0 {
		return u.command.FullCommand + ": want one of " +
			strings.Join(names(u.command.CmdGroupModel), ", ") + " behind it"
	}
	for _, a := range u.command.Args {
		if a.Required && !given[a.Name] {
			return fmt.Sprintf("%s: the %s is missing", u.command.FullCommand, strings.ToUpper(a.Name))
		}
	}
	return refused.Error()
}

// wanted returns what a value should have been.
func wanted(name, value string, err error) string {
	oneOf := func(options []string) string {
		if meant := nearest.Word(value, options); meant != "" {
			return "did you mean " + meant + "?"
		}
		return "want one of " + strings.Join(options, ", ")
	}
	text := err.Error()
	if options, is := strings.CutPrefix(text, "enum value must be one of "); is {
		options, _, _ = strings.Cut(options, ", got ")
		return oneOf(strings.Split(options, ","))
	}
	number := new(strconv.NumError)
	switch {
	case errors.As(err, &number) && errors.Is(err, strconv.ErrRange):
		return "the number is too large or too small"
	case errors.As(err, &number):
		return "want a whole number"
	case strings.HasPrefix(text, "time: "):
		return "want a time with its unit, such as 30s or 1m30s"
	case name == "--log.level":
		return oneOf(promslog.LevelFlagOptions)
	case name == "--log.format":
		return oneOf(promslog.FormatFlagOptions)
	}
	return text
}

// words is about a word that the parser has no use for.
func (u *wrongUsage) words(refused error) string {
	quoted := func(prefix string) (string, bool) {
		word, is := strings.CutPrefix(refused.Error(), prefix)
		return strings.Trim(word, `'"`), is
	}
	isCommand := func(arg string) bool { return slices.Contains(names(u.app.CmdGroupModel), arg) }
	if i := slices.IndexFunc(u.args, isCommand); u.assumed && i >= 0 {
		return "flags stand behind the command: put " + u.args[i] + " first"
	}
	if name, is := quoted("unknown long flag '--"); is {
		return u.flag(name)
	}
	if flag, is := quoted("unknown short flag "); is {
		return u.command.FullCommand + " has no flag " + flag
	}
	if flag, is := quoted("expected argument for flag "); is {
		return flag + ": want a value behind it"
	}
	if word, is := quoted("unexpected "); is {
		return u.argument(word)
	}
	if word, is := quoted("expected command but got "); is {
		return u.argument(word)
	}
	return refused.Error()
}

// argument is about a word that is no flag.
func (u *wrongUsage) argument(word string) string {
	value := "=" + word
	isFlag := func(arg string) bool {
		return strings.HasPrefix(arg, "--") && strings.HasSuffix(arg, value)
	}
	if i := slices.IndexFunc(u.args, isFlag); i >= 0 {
		flag := strings.TrimSuffix(u.args[i], value)
		return fmt.Sprintf("%s takes no value: leave out %q", flag, value)
	}
	known := names(u.app.CmdGroupModel)
	switch {
	case len(u.command.Commands) > 0:
		return fmt.Sprintf("%s has no command %q%s", u.command.FullCommand, word,
			nearest.Hint(word, names(u.command.CmdGroupModel)))
	case !u.assumed && u.parsed.SelectedCommand != nil:
		return fmt.Sprintf("%s has no use for %q", u.command.FullCommand, word)
	}
	u.help = "--help"
	return fmt.Sprintf("there is no command %q%s", word, nearest.Hint(word, known))
}

// flag is about one that the command does not have.
func (u *wrongUsage) flag(name string) string {
	var known, have []string
	for _, f := range slices.Concat(u.app.Flags, u.command.Flags) {
		if f.Hidden {
			continue
		}
		known = append(known, "--"+f.Name)
		if f.IsBoolFlag() {
			known = append(known, "--no-"+f.Name)
		}
	}
	for _, c := range u.app.FlattenedCommands() {
		isIt := func(f *kingpin.FlagModel) bool { return f.Name == strings.TrimPrefix(name, "no-") }
		if slices.ContainsFunc(c.Flags, isIt) {
			have = append(have, c.FullCommand)
		}
	}
	hint := nearest.Hint("--"+name, known)
	if hint == "" && len(have) > 0 {
		hint = ": it is one of " + plural.First(have, 3)
	}
	return fmt.Sprintf("%s has no flag --%s%s", u.command.FullCommand, name, hint)
}

// names are those of commands, as people know them.
func names(g *kingpin.CmdGroupModel) (known []string) {
	for _, c := range g.Commands {
		if !c.Hidden {
			known = append(known, c.Name)
		}
	}
	return known
}

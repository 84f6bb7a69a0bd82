// SPDX-License-Identifier: Apache-2.0

package panels

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/landlockd/landlockd/test/testenv"
	"github.com/landlockd/landlockd/test/vm"
)

// sources are what the renderer is made of: its own lines, and which packages they use.
var sources = []string{"web/main.jsx", "web/package.json", "web/package-lock.json"}

// renderer is the path of the script that draws a dashboard. It is made once, and kept in the
// cache.
func renderer(t *testing.T) string {
	t.Helper()
	dir, err := vm.Cache("panels")
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.New()
	for _, file := range append([]string{"go.mod", "renderer_test.go"}, sources...) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		hash.Write(text)
	}
	script := filepath.Join(dir, hex.EncodeToString(hash.Sum(nil)[:8])+".js")
	if _, err = os.Stat(script); errors.Is(err, os.ErrNotExist) {
		err = build(t, script)
	}
	if err != nil {
		t.Fatal(err)
	}
	return script
}

// build fetches the packages and puts all into one script.
func build(t *testing.T, script string) error {
	dir := filepath.Dir(script)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	for _, name := range sources {
		text, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(work, filepath.Base(name)), text, 0o644)
		}
		if err != nil {
			return err
		}
	}
	// No script of a package runs. The lock file has a hash of each.
	npm := exec.Command(testenv.NeedTool(t, "npm"), "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")
	npm.Dir = work
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w: %s", err, out)
	}
	made := filepath.Join(work, "renderer.js")
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{filepath.Join(work, "main.jsx")}, Outfile: made, Write: true,
		Bundle: true, Format: api.FormatESModule, JSX: api.JSXAutomatic, LogLevel: api.LogLevelSilent,
		MinifySyntax: true, MinifyWhitespace: true, LegalComments: api.LegalCommentsNone,
		Plugins: []api.Plugin{{Name: "none of a server", Setup: withoutServer}},
		// Fonts of browsers do.
		Loader: map[string]api.Loader{".woff": api.LoaderEmpty, ".woff2": api.LoaderEmpty},
		Define: map[string]string{"process.env.NODE_ENV": `"production"`, "global": "globalThis"},
	})
	if len(result.Errors) > 0 {
		return fmt.Errorf("bundle: %+v", result.Errors)
	}
	return os.Rename(made, script)
}

// withoutServer leaves out what loads plugins from a server. It would bring a second copy of
// everything, whose contexts are others.
func withoutServer(b api.PluginBuild) {
	b.OnLoad(api.OnLoadOptions{Filter: `/remote/PluginRuntime\.js$`}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
		none := "export const usePluginRuntime = undefined, loadPlugin = undefined, pluginRuntime = undefined;"
		return api.OnLoadResult{Contents: &none}, nil
	})
}

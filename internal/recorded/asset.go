// SPDX-License-Identifier: Apache-2.0

package recorded

import (
	"errors"
	"fmt"

	"github.com/landlockd/landlockd/domainid"
	"github.com/landlockd/landlockd/internal/untrusted"
	"github.com/landlockd/landlockd/scan"
)

// assetJSON is what processes should be kept from.
type assetJSON struct {
	Name         untrusted.Text   `json:"name" min:"1"`
	Paths        []untrusted.Text `json:"paths" max:"4160"`
	Read         bool             `json:"read"`
	Write        bool             `json:"write"`
	Unix         []untrusted.Text `json:"unix" max:"4160"`
	TCP          []uint16         `json:"tcp"`
	Connect      bool             `json:"connect"`
	Bind         bool             `json:"bind"`
	Signal       bool             `json:"signal"`
	AbstractUnix bool             `json:"abstract_unix"`
}

func newAssetJSON(a *domainid.Asset) *assetJSON {
	return &assetJSON{
		untrusted.Text(a.Name), texts(a.Paths), a.Read, a.Write, texts(a.Unix),
		append([]uint16{}, a.TCP...), a.Connect, a.Bind, a.Signal, a.AbstractUnix,
	}
}

func texts(all []string) []untrusted.Text {
	list := make([]untrusted.Text, len(all))
	for i, text := range all {
		list[i] = untrusted.Text(text)
	}
	return list
}

func (r *reader) asset(j *assetJSON) error {
	if len(r.snap.Assets) == domainid.MaxAssets {
		return fmt.Errorf("more than %d assets", domainid.MaxAssets)
	}
	plain := func(list []untrusted.Text) (all []string) {
		for _, text := range list {
			all = append(all, string(text))
		}
		return all
	}
	r.snap.Assets = append(r.snap.Assets, domainid.Asset{
		Name: string(j.Name), Paths: plain(j.Paths), Read: j.Read, Write: j.Write,
		Unix: plain(j.Unix), TCP: j.TCP, Connect: j.Connect, Bind: j.Bind, Signal: j.Signal,
		AbstractUnix: j.AbstractUnix,
	})
	return r.count(1 + len(j.Paths) + len(j.Unix) + len(j.TCP))
}

// objectJSON is what a path of an asset was.
type objectJSON struct {
	// Asset is that in the array of assets, null of a directory that only holds another object.
	Asset *int32              `json:"asset_index" min:"0"`
	Path  untrusted.Text      `json:"path" max:"4160"`
	Kind  domainid.ObjectKind `json:"kind"`
	// Parent is that in the array of objects.
	Parent *int32 `json:"parent_index" min:"0"`
}

func newObjectJSON(o *domainid.Object) *objectJSON {
	index := func(i int32) *int32 {
		if i < 0 {
			return nil
		}
		return &i
	}
	return &objectJSON{index(o.Asset), untrusted.Text(o.Path), o.Kind, index(o.Parent)}
}

func (r *reader) object(j *objectJSON) error {
	r.snap.Objects = append(r.snap.Objects, domainid.Object{
		Asset: orElse(j.Asset, -1), Path: string(j.Path), Kind: j.Kind, Parent: orElse(j.Parent, -1),
	})
	return r.count(1)
}

// sceneJSON is what a domain denies on objects to tasks in one mount namespace.
type sceneJSON struct {
	Domain domainid.ID `json:"domain"`
	// Places has one for each object.
	Places []deniedJSON `json:"places"`
}

type deniedJSON struct {
	Denied        mask     `json:"denied"`
	DeniedPerhaps mask     `json:"denied_perhaps"`
	Below         mask     `json:"denied_below"`
	BelowPerhaps  mask     `json:"denied_below_perhaps"`
	Doubt         []string `json:"doubt"`
}

func newSceneJSON(s *scan.Snapshot, scene *domainid.Scene) *sceneJSON {
	j := &sceneJSON{Places: make([]deniedJSON, len(scene.Places))}
	if d := scene.Domain; d >= 0 && int(d) < len(s.Domains) {
		j.Domain = s.Domains[d].ID
	}
	for i, p := range scene.Places {
		j.Places[i] = deniedJSON{
			mask(p.Denied.Sure), mask(p.Denied.May &^ p.Denied.Sure),
			mask(p.Below.Sure), mask(p.Below.May &^ p.Below.Sure), doubtWords(p.Doubt),
		}
	}
	return j
}

func (r *reader) scene(j *sceneJSON) error {
	scene := domainid.Scene{Places: make([]domainid.Place, len(j.Places))}
	for i, p := range j.Places {
		doubt, err := parseDoubt(p.Doubt)
		if err != nil {
			return within(fmt.Sprintf("places[%d]", i), err)
		}
		rights := func(sure, perhaps mask) domainid.FileRights {
			return domainid.FileRights{Sure: uint32(sure), May: uint32(sure | perhaps)}
		}
		scene.Places[i] = domainid.Place{Doubt: doubt, Denied: rights(p.Denied, p.DeniedPerhaps),
			Below: rights(p.Below, p.BelowPerhaps)}
	}
	if len(r.snap.Scenes) == maxTasks {
		return errors.New("too many scenes")
	}
	r.snap.Scenes = append(r.snap.Scenes, scene)
	r.staged = append(r.staged, j.Domain)
	return r.count(1 + len(scene.Places))
}

func (r *reader) resolveScenes(index domainIndex) error {
	s := r.snap
	for i := range s.Objects {
		if o := &s.Objects[i]; int(o.Asset) >= len(s.Assets) || int(o.Parent) >= len(s.Objects) {
			return fmt.Errorf("objects[%d]: its asset or parent is none of the snapshot's", i)
		}
	}
	for i := range s.Scenes {
		var err error
		if s.Scenes[i].Domain, err = index.find(r.staged[i]); err != nil {
			return fmt.Errorf("scenes[%d]: %w", i, err)
		}
		if len(s.Scenes[i].Places) != len(s.Objects) {
			return fmt.Errorf("scenes[%d]: %d places, but %d objects", i, len(s.Scenes[i].Places),
				len(s.Objects))
		}
	}
	return nil
}

// sceneIndex returns the index of a scene of a domain, or nil.
func sceneIndex(s *scan.Snapshot, scene, domain int32) *int32 {
	if scene <= domainid.NoScene || int(scene) > len(s.Scenes) || domain < 0 ||
		s.Scenes[scene-1].Domain != domain {
		return nil
	}
	return new(scene - 1)
}

// reachOf returns for each asset by its name whether Landlock keeps a process from it; nil of
// one that is not sandboxed.
func reachOf(s *scan.Snapshot, p *scan.Process) map[string]domainid.Reach {
	reaches, inside := s.Reaches(p)
	if !inside || p.State != scan.Sandboxed || len(s.Assets) == 0 {
		return nil
	}
	all := map[string]domainid.Reach{}
	for i := range s.Assets {
		reach, _ := reaches.Of(i)
		all[s.Assets[i].Name] = reach
	}
	return all
}

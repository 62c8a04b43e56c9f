// The oracle answers, without a daemon, what the pinned BuildKit's own Dockerfile frontend makes of
// a Dockerfile: accepted or not (with the message), and for every mount of every RUN the cache id,
// sharing mode, place and base that the solver would be handed. Asked to parse only, it tells how the
// parser splits the file into instructions.
//
// One JSON request a line on standard input, one JSON answer a line on standard output, in order.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
)

// Request is one Dockerfile with what its build command says.
type Request struct {
	Dockerfile string            `json:"dockerfile"`
	BuildArgs  map[string]string `json:"build_args"`
	Namespace  string            `json:"namespace"`
	Target     string            `json:"target"`
	Platform   string            `json:"platform"`
	Parse      bool              `json:"parse"`
}

// Instruction as the parser splits it, before any variable is read. Rest is what the parser hands on.
type Instruction struct {
	Line     int      `json:"line"`
	Word     string   `json:"word"`
	Flags    []string `json:"flags"`
	Rest     []string `json:"rest"`
	Heredocs []string `json:"heredocs"`
}

// Mount is one mount of one RUN as the solver sees it. Line is 1-based, that of the instruction.
type Mount struct {
	Line     int32  `json:"line"`
	Order    int    `json:"order"`
	Type     string `json:"type"`
	ID       string `json:"id"`
	Sharing  string `json:"sharing"`
	Dest     string `json:"dest"`
	Selector string `json:"selector"`
	Readonly bool   `json:"readonly"`
	Base     string `json:"base"`
	Command  string `json:"command"`
}

// Answer to one request. Error is empty when the frontend accepts the file.
type Answer struct {
	Error        string        `json:"error"`
	Mounts       []Mount       `json:"mounts"`
	Warnings     []string      `json:"warnings"`
	Instructions []Instruction `json:"instructions"`
}

// noRegistry stands in for the registry: every image exists, with one layer and an empty config.
type noRegistry struct{}

const config = `{"os":"linux","architecture":"amd64","config":{},
"rootfs":{"type":"layers","diff_ids":["%s"]}}`

func (noRegistry) ResolveImageConfig(
	_ context.Context, ref string, _ sourceresolver.Opt,
) (string, digest.Digest, []byte, error) {
	layer := digest.FromString(ref)
	return ref, layer, fmt.Appendf(nil, config, layer), nil
}

func answer(ctx context.Context, req Request) Answer {
	out := Answer{Mounts: []Mount{}, Warnings: []string{}}
	text := []byte(req.Dockerfile)
	source := llb.NewSourceMap(nil, "Dockerfile", "Dockerfile", text)
	caps := pb.Caps.CapSet(pb.Caps.All())
	opt := dockerfile2llb.ConvertOpt{
		SourceMap:    source,
		MetaResolver: noRegistry{},
		LLBCaps:      &caps,
		Warn: func(rule, _, _, message string, _ []parser.Range) {
			out.Warnings = append(out.Warnings, rule+": "+message)
		},
	}
	opt.Config = dockerui.Config{
		BuildArgs:        req.BuildArgs,
		CacheIDNamespace: req.Namespace,
		Target:           req.Target,
	}
	if req.Platform != "" {
		platform, err := platforms.Parse(req.Platform)
		if err != nil {
			out.Error = err.Error()
			return out
		}
		opt.TargetPlatform = &platform
	}
	res, err := dockerfile2llb.Dockerfile2LLB(ctx, text, opt)
	if err != nil {
		out.Error = err.Error()
		return out
	}
	def, err := res.State.Marshal(ctx, llb.LinuxAmd64)
	if err != nil {
		out.Error = err.Error()
		return out
	}
	out.Mounts, err = mounts(def)
	if err != nil {
		out.Error = err.Error()
	}
	return out
}

func parsed(text string) Answer {
	out := Answer{Mounts: []Mount{}, Warnings: []string{}, Instructions: []Instruction{}}
	result, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		out.Error = err.Error()
		return out
	}
	for _, node := range result.AST.Children {
		found := Instruction{
			Line:     node.StartLine,
			Word:     strings.ToUpper(node.Value),
			Flags:    append([]string{}, node.Flags...),
			Rest:     []string{},
			Heredocs: []string{},
		}
		for next := node.Next; next != nil; next = next.Next {
			found.Rest = append(found.Rest, next.Value)
		}
		for _, document := range node.Heredocs {
			found.Heredocs = append(found.Heredocs, document.Name, document.Content)
		}
		out.Instructions = append(out.Instructions, found)
	}
	return out
}

func mounts(def *llb.Definition) ([]Mount, error) {
	found := []Mount{}
	for _, raw := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(raw); err != nil {
			return nil, err
		}
		exec := op.GetExec()
		if exec == nil {
			continue
		}
		line := int32(0)
		if where, ok := def.Source.GetLocations()[digest.FromBytes(raw).String()]; ok {
			for _, location := range where.Locations {
				for _, r := range location.Ranges {
					if line == 0 || r.Start.Line < line {
						line = r.Start.Line
					}
				}
			}
		}
		order := 0
		for _, m := range exec.Mounts {
			if m.Dest == pb.RootMount {
				continue
			}
			mount := Mount{
				Line:     line,
				Order:    order,
				Type:     strings.ToLower(m.MountType.String()),
				Dest:     m.Dest,
				Selector: m.Selector,
				Readonly: m.Readonly,
				Command:  strings.Join(exec.Meta.Args, " "),
			}
			if m.CacheOpt != nil {
				mount.ID = m.CacheOpt.ID
				mount.Sharing = strings.ToLower(m.CacheOpt.Sharing.String())
			}
			if m.Input >= 0 && int(m.Input) < len(op.Inputs) {
				in := op.Inputs[m.Input]
				mount.Base = fmt.Sprintf("%s/%d", in.Digest, in.Index)
			}
			found = append(found, mount)
			order++
		}
	}
	return found, nil
}

func main() {
	ctx := context.Background()
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	decode := json.NewDecoder(in)
	for decode.More() {
		var req Request
		if err := decode.Decode(&req); err != nil {
			fmt.Fprintln(os.Stderr, "oracle:", err)
			os.Exit(2)
		}
		said := Answer{}
		if req.Parse {
			said = parsed(req.Dockerfile)
		} else {
			said = answer(ctx, req)
		}
		if err := out.Encode(said); err != nil {
			os.Exit(2)
		}
	}
}

// Prints the life cycle of every API version of Kubernetes as JSON, from the markers that the API module carries for its own servers
// (zz_generated.prerelease-lifecycle.go: introduced, deprecated, removed, replacement). The module version is that of go.mod; the release
// that the table covers follows from it (v0.37.2 is Kubernetes 1.37). Run by `tools/node tools/generate.ts --lifecycle`.
package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

const module = "k8s.io/api"

type row struct {
	Group       string `json:"group"`
	Version     string `json:"version"`
	Kind        string `json:"kind"`
	Introduced  string `json:"introduced,omitempty"`
	Deprecated  string `json:"deprecated,omitempty"`
	Removed     string `json:"removed,omitempty"`
	Replacement string `json:"replacement,omitempty"`
}

func main() {
	directory, version := locate()
	rows := []row{}
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() != "zz_generated.prerelease-lifecycle.go" {
			return err
		}
		rows = append(rows, read(path)...)
		return nil
	})
	check(err)
	sort.Slice(rows, func(i, j int) bool {
		a, b := rows[i], rows[j]
		return a.Group+"/"+a.Version+"/"+a.Kind < b.Group+"/"+b.Version+"/"+b.Kind
	})
	minor := strings.Split(strings.TrimPrefix(version, "v"), ".")[1]
	fmt.Printf("{\n  \"module\": %q,\n  \"version\": %q,\n  \"covers\": %q,\n  \"rows\": [\n", module, version, "1."+minor)
	for index, each := range rows {
		text, err := json.Marshal(each)
		check(err)
		comma := ","
		if index == len(rows)-1 {
			comma = ""
		}
		fmt.Printf("    %s%s\n", text, comma)
	}
	fmt.Print("  ]\n}\n")
}

// locate returns where the module lies and its version.
func locate() (string, string) {
	output, err := exec.Command("go", "mod", "download", "-json", module).Output()
	check(err)
	var found struct{ Dir, Version string }
	check(json.Unmarshal(output, &found))
	return found.Dir, found.Version
}

// read returns one row for each kind whose methods the file holds. Lists follow their items and have none of their own.
func read(path string) []row {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	check(err)
	directory := filepath.Dir(path)
	group := groupOf(directory)
	rows := map[string]*row{}
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok || function.Recv == nil {
			continue
		}
		kind := function.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name
		if strings.HasSuffix(kind, "List") {
			continue
		}
		if rows[kind] == nil {
			rows[kind] = &row{Group: group, Version: filepath.Base(directory), Kind: kind}
		}
		results := function.Body.List[0].(*ast.ReturnStmt).Results
		switch function.Name.Name {
		case "APILifecycleIntroduced":
			rows[kind].Introduced = release(results)
		case "APILifecycleDeprecated":
			rows[kind].Deprecated = release(results)
		case "APILifecycleRemoved":
			rows[kind].Removed = release(results)
		case "APILifecycleReplacement":
			rows[kind].Replacement = replacement(results[0])
		}
	}
	list := []row{}
	for _, each := range rows {
		list = append(list, *each)
	}
	return list
}

func release(results []ast.Expr) string {
	return results[0].(*ast.BasicLit).Value + "." + results[1].(*ast.BasicLit).Value
}

// replacement reads schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}.
func replacement(expression ast.Expr) string {
	values := map[string]string{}
	for _, element := range expression.(*ast.CompositeLit).Elts {
		pair := element.(*ast.KeyValueExpr)
		text, err := strconv.Unquote(pair.Value.(*ast.BasicLit).Value)
		check(err)
		values[pair.Key.(*ast.Ident).Name] = text
	}
	if values["Group"] == "" {
		return values["Version"] + " " + values["Kind"]
	}
	return values["Group"] + "/" + values["Version"] + " " + values["Kind"]
}

// groupOf reads const GroupName of the package.
func groupOf(directory string) string {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(directory, "register.go"), nil, 0)
	check(err)
	for _, declaration := range file.Decls {
		general, ok := declaration.(*ast.GenDecl)
		if !ok || general.Tok != token.CONST {
			continue
		}
		for _, specification := range general.Specs {
			value := specification.(*ast.ValueSpec)
			if value.Names[0].Name == "GroupName" {
				text, err := strconv.Unquote(value.Values[0].(*ast.BasicLit).Value)
				check(err)
				return text
			}
		}
	}
	check(fmt.Errorf("%s names no group", directory))
	return ""
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"
)

// fmtFlags are the flags of fmt.
type fmtFlags struct {
	check     bool
	diff      bool
	write     bool
	recursive bool
	files     map[string]*hcl.File
	diags     hcl.Diagnostics
	changed   int
}

func newFmtCommand() *cobra.Command {
	f := fmtFlags{}
	cmd := &cobra.Command{
		Use:     "fmt [FILE or DIR or -]...",
		GroupID: "pipeline",
		Short:   "Put pipelines into the usual layout",
		Long: `Rewrites HCL files in the usual layout and lists those that changed. "-" reads standard input and writes standard
output. Files with syntax errors are left alone. Exit code 3 with --check if a file is not formatted, 2 after an error.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(args, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().BoolVar(&f.check, "check", false, "change nothing; exit 3 if a file is not formatted")
	cmd.Flags().BoolVar(&f.diff, "diff", false, "show what changes")
	cmd.Flags().BoolVar(&f.write, "write", true, "write the files; --write=false only lists them, or with --diff shows what would change")
	cmd.Flags().BoolVar(&f.recursive, "recursive", false, "go into directories below those named")
	return cmd
}

func (f *fmtFlags) run(args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	f.files = make(map[string]*hcl.File)
	if len(args) == 0 {
		args = []string{"."}
	}
	for _, arg := range args {
		if err := f.argument(arg, stdin, stdout); err != nil {
			return badInput("%v", err)
		}
	}
	printDiagnostics(stderr, f.files, f.diags)
	switch {
	case f.diags.HasErrors():
		return &exitError{code: exitBadInput}
	case f.check && f.changed > 0:
		return &exitError{code: exitUnformatted}
	}
	return nil
}

func (f *fmtFlags) argument(arg string, stdin io.Reader, stdout io.Writer) error {
	if arg == "-" {
		src, err := io.ReadAll(stdin)
		if err != nil {
			return err
		}
		out, ok := f.format("<stdin>", src)
		if ok && f.diff {
			_, err = stdout.Write(diff.Diff("<stdin>", src, "<stdin> formatted", out))
			return err
		}
		if ok && !f.check {
			_, err = stdout.Write(out)
		}
		return err
	}
	info, err := os.Stat(arg)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return f.file(arg, stdout)
	}
	return filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != arg && (!f.recursive || d.Name()[0] == '.'):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".hcl":
			return nil
		}
		return f.file(path, stdout)
	})
}

// format formats a source, or reports its syntax errors.
func (f *fmtFlags) format(name string, src []byte) ([]byte, bool) {
	file, diags := hclparse.NewParser().ParseHCL(src, name)
	f.files[name] = file
	f.diags = append(f.diags, diags...)
	if diags.HasErrors() {
		return nil, false
	}
	out := hclwrite.Format(src)
	if !bytes.Equal(out, src) {
		f.changed++
	}
	return out, true
}

func (f *fmtFlags) file(path string, stdout io.Writer) error {
	src, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before := f.changed
	out, ok := f.format(path, src)
	if !ok || f.changed == before {
		return nil
	}
	fmt.Fprintln(stdout, path)
	if f.diff {
		if _, err := stdout.Write(diff.Diff(path, src, path+" formatted", out)); err != nil {
			return err
		}
	}
	if f.check || !f.write {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // a link stays one
	}
	temp := path + ".tmp"
	if err := os.WriteFile(temp, out, info.Mode().Perm()); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"oceaninv/workflow/stage"
)

// usageError says what is wrong with a command line, and what would be right.
func usageError(cmd *cobra.Command, err error) string {
	var (
		unknown *pflag.NotExistError
		invalid *pflag.InvalidValueError
		number  *strconv.NumError
		text    = err.Error()
	)
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "":
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		text = "there is no flag --" + unknown.GetSpecifiedName() + "." + stage.DidYouMean(unknown.GetSpecifiedName(), names)
	case errors.As(err, &invalid) && errors.As(err, &number):
		kind := map[string]string{"int": "a whole number", "float64": "a number", "bool": "true or false"}[invalid.GetFlag().Value.Type()]
		if kind != "" {
			text = fmt.Sprintf("--%s needs %s, not %q", invalid.GetFlag().Name, kind, invalid.GetValue())
		}
	}
	return fmt.Sprintf("%s\nUsage: %s\nSee %s --help.", strings.TrimSpace(text), cmd.UseLine(), cmd.CommandPath())
}

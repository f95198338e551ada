package envfile

import "fmt"

// maxVector bounds the counts of depths, ranges and frequencies: a million
// doubles are 8 MB, and no field is computed on more.
const maxVector = 1_000_000

// vector reads a count and then that many numbers. As in the Toolbox one number
// and a slash repeat it, two numbers and a slash are the ends of an evenly spaced
// list. check looks at value i of the values so far, in the file's unit, and may
// name a problem and its remedy. The values are multiplied by scale.
func (l *list) vector(what string, scale float64, check func(x []float64, i int) (problem, remedy string)) ([]float64, error) {
	l.begin()
	n, err := l.needInt("the number of "+what, 1, maxVector)
	if err != nil {
		return nil, err
	}
	l.begin()
	var x []float64
	for len(x) < n {
		var v float64
		ok, err := l.float(&v, fmt.Sprintf("number %d of the %s", len(x)+1, what))
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		x = append(x, v)
		if problem, remedy := check(x, len(x)-1); problem != "" {
			return nil, l.wrong(problem, remedy)
		}
	}
	if len(x) < n {
		if !l.ended || len(x) == 0 || len(x) > 2 {
			return nil, l.wrong(fmt.Sprintf("%d %s are announced, %d given", n, what, len(x)),
				"give them all, or the first and the last and a slash for an even spacing")
		}
		x = spread(x, n)
		for i := range x {
			if problem, remedy := check(x, i); problem != "" {
				return nil, l.wrong(problem, remedy)
			}
		}
	}
	for i := range x {
		x[i] *= scale
	}
	return x, nil
}

// spread is n evenly spaced numbers between the ends given.
func spread(ends []float64, n int) []float64 {
	x := make([]float64, n)
	first, last := ends[0], ends[len(ends)-1]
	for i := range x {
		x[i] = first + (last-first)*float64(i)/float64(n-1)
	}
	x[n-1] = last
	return x
}

// anyValue accepts every list.
func anyValue([]float64, int) (problem, remedy string) { return "", "" }

// rising asks for values not below low, each greater than the one before.
func rising(what, unit string, low float64) func([]float64, int) (string, string) {
	bound := fmt.Sprintf("not be below %v %s", low, unit)
	if low > 0 && low < 1e-300 {
		bound = "be positive"
	}
	return func(x []float64, i int) (string, string) {
		if x[i] < low {
			return fmt.Sprintf("%s %v %s", what, x[i], unit), "it must " + bound
		}
		if i > 0 && x[i] <= x[i-1] {
			return fmt.Sprintf("%s %v %s follows %v %s", what, x[i], unit, x[i-1], unit), "give them in rising order"
		}
		return "", ""
	}
}

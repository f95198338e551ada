package dag

import (
	"fmt"
	"slices"
	"strings"
)

// Graph is a set of nodes, by name, and edges from a node to those it depends on. The zero value is empty.
type Graph struct {
	names []string
	index map[string]int
	deps  [][]int // deps[i] are what i needs, in the order given
	users [][]int // users[i] are what needs i
}

// Add adds a node; adding it again does nothing.
func (g *Graph) Add(name string) { g.add(name) }

func (g *Graph) add(name string) int {
	if i, ok := g.index[name]; ok {
		return i
	}
	if g.index == nil {
		g.index = make(map[string]int)
	}
	i := len(g.names)
	g.index[name] = i
	g.names = append(g.names, name)
	g.deps, g.users = append(g.deps, nil), append(g.users, nil)
	return i
}

// Depend says that node needs dependency, adding both where missing.
func (g *Graph) Depend(node, dependency string) {
	n, d := g.add(node), g.add(dependency)
	if slices.Contains(g.deps[n], d) {
		return
	}
	g.deps[n] = append(g.deps[n], d)
	g.users[d] = append(g.users[d], n)
}

// Len is the number of nodes.
func (g *Graph) Len() int { return len(g.names) }

// Nodes returns the nodes in the order they were added.
func (g *Graph) Nodes() []string { return slices.Clone(g.names) }

// Dependencies returns what a node needs, directly.
func (g *Graph) Dependencies(node string) []string { return g.neighbours(node, g.deps) }

// Dependents returns what needs a node, directly.
func (g *Graph) Dependents(node string) []string { return g.neighbours(node, g.users) }

func (g *Graph) neighbours(node string, edges [][]int) []string {
	i, ok := g.index[node]
	if !ok {
		return nil
	}
	names := make([]string, len(edges[i]))
	for k, j := range edges[i] {
		names[k] = g.names[j]
	}
	return names
}

// Descendants returns everything that needs a node, directly or not, in the order nodes were added.
func (g *Graph) Descendants(node string) []string { return g.reach(node, g.users) }

// Ancestors returns everything a node needs, directly or not, in the order nodes were added.
func (g *Graph) Ancestors(node string) []string { return g.reach(node, g.deps) }

func (g *Graph) reach(node string, edges [][]int) []string {
	start, ok := g.index[node]
	if !ok {
		return nil
	}
	seen := make([]bool, len(g.names))
	queue := []int{start}
	for len(queue) > 0 {
		i := queue[0]
		queue = queue[1:]
		for _, j := range edges[i] {
			if !seen[j] {
				seen[j] = true
				queue = append(queue, j)
			}
		}
	}
	var names []string
	for i, s := range seen {
		if s {
			names = append(names, g.names[i])
		}
	}
	return names
}

// CycleError is a cycle: each member needs the next, and the last needs the first.
type CycleError struct{ Members []string }

func (e *CycleError) Error() string {
	return fmt.Sprintf("cycle: %s -> %s", strings.Join(e.Members, " -> "), e.Members[0])
}

// Order returns the nodes, dependencies first, keeping the order they were added where dependencies leave a choice.
// Nodes that are on a cycle or need one are left out, and every cycle found is reported once.
func (g *Graph) Order() (order []string, cycles []*CycleError) {
	w := walk{g: g, state: make([]visit, len(g.names))}
	for i := range g.names {
		w.visit(i)
	}
	return w.order, w.cycles
}

type visit byte

const (
	unseen visit = iota
	open         // on the path from the root
	done
	broken // on a cycle, or needs one
)

// walk is a depth-first search along dependencies.
type walk struct {
	g      *Graph
	state  []visit
	path   []int
	order  []string
	cycles []*CycleError
}

func (w *walk) visit(i int) {
	if w.state[i] != unseen {
		return
	}
	w.state[i] = open
	w.path = append(w.path, i)
	sound := true
	for _, d := range w.g.deps[i] {
		if w.state[d] == open {
			w.cycle(d)
			sound = false
			continue
		}
		w.visit(d)
		sound = sound && w.state[d] == done
	}
	w.path = w.path[:len(w.path)-1]
	if !sound {
		w.state[i] = broken
		return
	}
	w.state[i] = done
	w.order = append(w.order, w.g.names[i])
}

// cycle records the part of the path that begins at node d, which the path's end needs.
func (w *walk) cycle(d int) {
	var members []string
	for _, i := range w.path[slices.Index(w.path, d):] {
		members = append(members, w.g.names[i])
	}
	w.cycles = append(w.cycles, &CycleError{Members: members})
}

// Remaining is, for each node, the weight of the heaviest path that starts at it and follows its dependents to the
// end: the priority under which a ready node least delays the whole. It panics on a cycle.
func (g *Graph) Remaining(weight func(node string) float64) map[string]float64 {
	order, cycles := g.Order()
	if len(cycles) > 0 {
		panic("dag: " + cycles[0].Error())
	}
	remaining := make(map[string]float64, len(order))
	for _, name := range slices.Backward(order) {
		var after float64
		for _, u := range g.users[g.index[name]] {
			after = max(after, remaining[g.names[u]])
		}
		remaining[name] = weight(name) + after
	}
	return remaining
}

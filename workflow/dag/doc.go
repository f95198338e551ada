// Package dag is a directed acyclic graph over named nodes: order, cycles, weights, and drawings of it. It knows
// nothing of what the nodes are.
package dag

// Package report writes what a run leaves for people and for archives: a page of HTML that needs nothing but itself, and
// an RO-Crate that describes the results to machines.
package report

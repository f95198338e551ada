// Command oceaninv runs ocean-acoustic inversion pipelines. See oceaninv help, and README.md.
//
// One file per verb: flags become an options struct, the struct goes into a library call, and the exit code comes back.
package main

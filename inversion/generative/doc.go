// Package generative holds the laws of VINA's studies of generation (arXiv
// 2602.20480): a flow learns to draw from them, and what it draws is compared with
// them.
//
// # Limitations
//
// Independent, identically distributed columns only.
package generative

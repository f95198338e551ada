// Package gradcheck compares hand-written gradients with central differences. Every layer of a flow and every loss is
// held to it, in float64.
//
// # Limitations
//
// Central differences lose half the digits: a relative error below 1e-8 is not resolved, and a function with a kink
// within a step of the point (ReLU, a clamp) is not differentiable there.
package gradcheck

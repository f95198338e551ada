// Package nn holds what networks are made of: the arena that all numbers of a network share ([Layout], [Tensor]), dense
// layers and multilayer perceptrons with a forward and a backward pass and explicit caches, and the kernels under them.
//
// Dense products ([Gemm]) run on one thread; parallelism is the caller's, over chunks of a batch. In single precision
// they have kernels of their own for AVX2 and AVX-512; in double precision, and on other processors, they go to OpenBLAS.
// Element-wise functions are vectorised and fused with their derivatives where a pass over memory can be saved; their error bounds are
// stated where they are declared and tested over the whole range of float32. With the build tag purego both are plain Go
// and pass the same tests.
//
// # Limitations
//
// The last bits of a result depend on the processor's instruction set, through the order of additions inside dense
// products and through fused multiply-adds. A network runs on one thread at a time with one cache.
package nn

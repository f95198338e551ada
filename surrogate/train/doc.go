// Package train fits invertible networks: losses with their gradients, critics, Adam, and the loop around them.
//
// A loss is a function of plain matrices, one row per sample, that returns a value and adds gradients with
// respect to its inputs; it knows nothing of networks. [TrainINN], [TrainConditional] and [TrainFlow] connect
// the losses to a flow.
//
// # A step
//
// A batch is cut in a fixed number of chunks ([Options].Chunks), each with activations and a gradient of its
// own. A pool of workers runs the chunks; gradients are summed in the order of the chunks and noise comes from
// one stream per (seed, step, chunk). The weights are therefore the same to the bit for any number of workers,
// and the same whether a run was interrupted and resumed or not. They do depend on the number of chunks, and on
// the processor's instruction set, through the order of additions inside the dense products. After the first
// step, a step does not allocate.
//
// # Limitations
//
// One process, no GPU. Held-out loss of the adversarial losses is the bound of a critic trained on the same
// data; use [Guarantee] for an honest figure.
package train

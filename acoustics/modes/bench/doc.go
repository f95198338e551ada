// Package bench measures the speed and the accuracy of the normal-mode solver on
// the case study's ocean: SWellEx-96, seven tones, five phones, water depth and
// sediment sound speed drawn anew for every sample.
//
// # Limitations
//
// Times are wall-clock times of one goroutine: on a busy machine they say nothing.
package bench

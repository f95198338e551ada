// Package bench measures the speed and the accuracy of the normal-mode solver on
// the case study's ocean: SWellEx-96, seven tones, five phones, water depth and
// sediment sound speed drawn anew for every sample.
//
// # Limitations
//
// Times of one core are processor time. The gain of several cores is taken from the
// clock on the wall: on a busy machine it says nothing.
package bench

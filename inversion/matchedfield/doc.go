// Package matchedfield summarises an observation by matching it against a
// table of replica fields: the weights of the replicas are an approximate
// posterior, and its moments are what a flow is conditioned on.
//
// A network that is shown only the phones' raw pressures has to learn from
// examples how the field depends on the sea bed; at high frequency that takes
// very many, because the field decorrelates over a few centimetres of water
// depth. The physics is known, so it is put into the first layer instead: one
// dense product of the whitened observation with the whitened replicas gives the
// log-likelihood of every replica. The flow is left with what the table gets
// wrong: the grid's resolution, non-Gaussian shape, and secondary modes.
//
// # Limitations
//
// The table is a lattice over the prior, so it suits up to about three
// parameters; its spacing should not exceed twice the posterior's (conditional)
// standard deviation. The likelihood is that of a known source and Gaussian
// noise of known variance. A summary is not a posterior: the flow trained on it
// is what is calibrated.
package matchedfield

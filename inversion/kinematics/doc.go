// Package kinematics is the robot arm of the literature on invertible networks
// (Ardizzone et al., arXiv 1808.04730, section 4.2; VINA, arXiv 2602.20480): a
// base that slides up and down, and joints behind one another in a plane. Where
// are the joints, given where the hand is? Four numbers are sought and two are
// seen, so that the posterior is a curved surface with several branches, and it
// can be sampled almost exactly: a fast, hard test of what a network learned.
//
// # Limitations
//
// No joint limits and no obstacles. [Arm.Posterior] conditions on the hand's
// height exactly and on its reach within a tolerance.
package kinematics

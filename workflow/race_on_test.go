//go:build race

package workflow_test

const raceDetector = true

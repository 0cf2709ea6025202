//go:build components

// Package components names the command that goes into a node image, so that
// go.mod and go.sum pin it. It is never compiled.
package components

import _ "github.com/coredns/coredns"

//go:build components

// Package components names the commands that go into a node image, so that
// go.mod and go.sum pin them. It is never compiled.
package components

import (
	_ "go.etcd.io/etcd/etcdctl/v3"
	_ "go.etcd.io/etcd/etcdutl/v3"
	_ "go.etcd.io/etcd/server/v3"
)

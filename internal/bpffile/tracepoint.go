// SPDX-License-Identifier: Apache-2.0

package bpffile

import (
	"fmt"

	"github.com/cilium/ebpf/btf"
)

// TypeFinder finds types by their names: [*btf.Spec].
type TypeFinder interface {
	TypeByName(name string, typ any) error
}

// TracepointArgs returns the arguments of one of the kernel's tracepoints. The error is
// [btf.ErrNotFound] if there is no such tracepoint.
func TracepointArgs(types TypeFinder, tracepoint string) ([]btf.FuncParam, error) {
	var def *btf.Typedef
	if err := types.TypeByName("btf_trace_"+tracepoint, &def); err != nil {
		return nil, fmt.Errorf("the tracepoint %s: %w: %w", tracepoint, btf.ErrNotFound, err)
	}
	pointer, ok := btf.UnderlyingType(def).(*btf.Pointer)
	if !ok {
		return nil, fmt.Errorf("the tracepoint %s is no pointer", tracepoint)
	}
	proto, ok := btf.UnderlyingType(pointer.Target).(*btf.FuncProto)
	if !ok || len(proto.Params) == 0 {
		return nil, fmt.Errorf("the tracepoint %s is no function", tracepoint)
	}
	return proto.Params[1:], nil // behind the tracepoint's own data
}

// SPDX-License-Identifier: Apache-2.0

// Package patient makes calls that somebody may delay for ever: to read a command line
// waits for a lock of the process, which that holds for as long as, say, a file system in
// user space does not answer. No caller waits longer than it was meant to, and whoever
// delays calls delays his own.
package patient

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"
)

// Limits of what one account may delay. An account is whoever is to blame for a delay.
const (
	// patience is how long one call is waited for, and budget how long all those for one
	// account in a window. What takes less than usual counts as nothing: a busy host is
	// nobody's fault.
	patience = 250 * time.Millisecond
	budget   = 500 * time.Millisecond
	usual    = 10 * time.Millisecond
	window   = 10 * time.Second
	// MaxPending is how many calls for one account may be under way that nobody waits for
	// any more: each holds a thread.
	MaxPending = 8
)

// ErrDelayed is the error of a call that took too long, or that was not made because it,
// or too many for the same account, are still under way.
var ErrDelayed = errors.New("it did not answer in time")

// Caller makes calls, which keys name. It is safe for concurrent use.
type Caller[K comparable, T any] struct {
	most    int // calls of all accounts that may be under way
	mu      sync.Mutex
	pending map[K]uint64 // the account of each call that is under way
	delays  map[uint64]delay
}

// delay is how long calls for an account were waited for since its window began. Only who
// delayed some has one.
type delay struct {
	since  time.Time
	waited time.Duration
}

func (d delay) isOver(now time.Time) bool { return now.Sub(d.since) >= window }

// New returns a Caller of so many calls at a time for all accounts together. With
// [MaxPending] for each account that there can be, none is ever refused for another's delays.
func New[K comparable, T any](most int) *Caller[K, T] {
	return &Caller[K, T]{most: most, pending: map[K]uint64{}, delays: map[uint64]delay{}}
}

// Within returns what call returns, unless ctx ends before: the error is then its cause. The
// call goes on by itself, and what it returns is lost.
func Within[T any](ctx context.Context, call func() (T, error)) (value T, err error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := call()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return value, context.Cause(ctx)
	}
}

// Do returns what call returns, as Within does. Until a call that took too long has
// returned, it is not made again.
func (c *Caller[K, T]) Do(by uint64, key K, call func() (T, error)) (T, error) {
	if !c.begin(by, key) {
		var none T
		return none, ErrDelayed
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), patience, ErrDelayed)
	defer cancel()
	began := time.Now()
	value, err := Within(ctx, func() (T, error) {
		defer c.end(key)
		return call()
	})
	c.charge(by, min(time.Since(began), patience))
	return value, err
}

// begin reports whether a call is to be made.
func (c *Caller[K, T]) begin(by uint64, key K) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	own := 0
	for _, account := range c.pending {
		if account == by {
			own++
		}
	}
	d, delayed := c.delays[by]
	exhausted := delayed && d.waited >= budget && !d.isOver(time.Now())
	if _, underWay := c.pending[key]; underWay || exhausted || own >= MaxPending ||
		len(c.pending) >= c.most {
		return false
	}
	c.pending[key] = by
	return true
}

func (c *Caller[K, T]) end(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, key)
}

func (c *Caller[K, T]) charge(by uint64, waited time.Duration) {
	if waited < usual {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(c.delays, func(_ uint64, d delay) bool { return d.isOver(now) })
	d, delayed := c.delays[by]
	if !delayed {
		d.since = now
	}
	d.waited += waited
	c.delays[by] = d
}

// SPDX-License-Identifier: Apache-2.0

package taskiter

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
)

// digests recognize the reads of a pass without what was read: GHASH of each, under a key that
// nobody knows and of which no result gets out. Whatever is in two reads that differ, they have
// one digest with a chance of less than 2^-116.
type digests struct {
	aead  cipher.AEAD // nil where none may be made (GODEBUG=fips140=only)
	nonce []byte
	next  []byte // memory for one
	of    []digest
}

type digest [16]byte

func newDigests() digests {
	key := make([]byte, 16)
	_, _ = rand.Read(key) // never fails
	// That each message needs another nonce is for those whose results somebody sees.
	d := digests{nonce: make([]byte, 12), next: make([]byte, 0, len(digest{}))}
	if block, err := aes.NewCipher(key); err == nil {
		d.aead, _ = cipher.NewGCM(block)
	}
	return d
}

// digest returns that of a read.
func (d *digests) digest(b []byte) digest {
	return digest(d.aead.Seal(d.next, d.nonce, nil, b))
}

// add notes the next read of a pass.
func (d *digests) add(b []byte) {
	if d.aead != nil {
		d.of = append(d.of, d.digest(b))
	}
}

// are reports whether a read is the one in a place.
func (d *digests) are(place int, b []byte) bool {
	return place < len(d.of) && d.digest(b) == d.of[place]
}

// forget forgets all reads.
func (d *digests) forget() { d.of = d.of[:0] }

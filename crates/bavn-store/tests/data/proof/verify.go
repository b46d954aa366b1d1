// Holds bavn's checkpoint and proofs against the code that guards Go's own module downloads.
//
// Each line of standard input is "inclusion" or "consistency" and a file. Each proof must hold, and
// must not hold with any one bit of it flipped; which bit is drawn from the number of the line.
package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(format string, args ...interface{}) {
	fmt.Printf(format+"\n", args...)
	os.Exit(1)
}

func must(data []byte, err error) []byte {
	if err != nil {
		fail("%v", err)
	}
	return data
}

// checkpoint opens a signed note; it caches, since one checkpoint stands in thousands of proofs.
var opened = map[string]tlog.Tree{}

func checkpoint(text string, verifiers note.Verifiers) tlog.Tree {
	if tree, ok := opened[text]; ok {
		return tree
	}
	signed, err := note.Open([]byte(text), verifiers)
	if err != nil {
		fail("the checkpoint does not open: %v", err)
	}
	for _, at := range []int{0, len(text) / 3, len(text) / 2, len(text) - 12} {
		changed := []byte(text)
		changed[at] ^= 1
		if _, err := note.Open(changed, verifiers); err == nil {
			fail("a checkpoint with byte %d changed opens", at)
		}
	}
	lines := strings.Split(signed.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		fail("%v", err)
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], must(base64.StdEncoding.DecodeString(lines[2])))
	opened[text] = tree
	return tree
}

func hashes(lines []string) []tlog.Hash {
	var all []tlog.Hash
	for _, line := range lines {
		var hash tlog.Hash
		copy(hash[:], must(base64.StdEncoding.DecodeString(line)))
		all = append(all, hash)
	}
	return all
}

// flipped gives a copy of the hashes with one bit changed.
func flipped(all []tlog.Hash, bit int) []tlog.Hash {
	changed := append([]tlog.Hash(nil), all...)
	bit %= len(all) * 256
	changed[bit/256][bit%256/8] ^= 1 << (bit % 8)
	return changed
}

func inclusion(number int, text string, verifiers note.Verifiers) {
	parts := strings.SplitN(text, "\n\n", 2)
	tree := checkpoint(parts[1], verifiers)
	lines := strings.Split(parts[0], "\n")
	extra := must(base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra ")))
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		fail("%v", err)
	}
	proof := tlog.RecordProof(hashes(lines[3:]))
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(extra)); err != nil {
		fail("proof %d of entry %d: %v", number, index, err)
	}
	bit := number * 7919
	if len(proof) > 0 {
		changed := tlog.RecordProof(flipped(proof, bit))
		if tlog.CheckRecord(changed, tree.N, tree.Hash, index, tlog.RecordHash(extra)) == nil {
			fail("proof %d holds with a bit flipped", number)
		}
	}
	extra[bit/8%len(extra)] ^= 1 << (bit % 8)
	if tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(extra)) == nil {
		fail("proof %d holds for an entry with a bit flipped", number)
	}
}

func consistency(number int, text string, verifiers note.Verifiers) {
	parts := strings.Split(text, "\n\n")
	older := checkpoint(parts[1]+"\n\n"+parts[2]+"\n", verifiers)
	newer := checkpoint(parts[3]+"\n\n"+parts[4], verifiers)
	proof := tlog.TreeProof(hashes(strings.Split(parts[0], "\n")[1:]))
	if err := tlog.CheckTree(proof, newer.N, newer.Hash, older.N, older.Hash); err != nil {
		fail("consistency of %d and %d: %v", older.N, newer.N, err)
	}
	if len(proof) > 0 {
		changed := tlog.TreeProof(flipped(proof, number*7919))
		if tlog.CheckTree(changed, newer.N, newer.Hash, older.N, older.Hash) == nil {
			fail("consistency %d holds with a bit flipped", number)
		}
	}
}

func main() {
	verifier, err := note.NewVerifier(strings.TrimSpace(string(must(os.ReadFile(os.Args[1])))))
	if err != nil {
		fail("the verifier key is not read: %v", err)
	}
	verifiers := note.VerifierList(verifier)
	checks := map[string]int{}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.SplitN(lines.Text(), " ", 2)
		number := checks["inclusion"] + checks["consistency"]
		text := string(must(os.ReadFile(words[1])))
		if words[0] == "inclusion" {
			inclusion(number, text, verifiers)
		} else {
			consistency(number, text, verifiers)
		}
		checks[words[0]]++
	}
	fmt.Printf("held: %d inclusion, %d consistency\n", checks["inclusion"], checks["consistency"])
}

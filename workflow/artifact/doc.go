// Package artifact is the store of results: action keys, content digests, completion records and leases. Its
// on-disk format is specified in FORMAT.md.
//
// A result is found by its action key, the hash of everything that determines it. It counts only if its completion
// record is whole and every file it lists is there and unchanged: anything else is a miss, and the action runs again.
// Files are trusted unread while device, inode, size and times are as recorded; otherwise their bytes are hashed.
//
// # Limitations
//
// A change of a file's bytes that leaves its size, modification and change times all alone (a fault of the disk, not of
// a program) is only found by [Store.Verify]. Leases of other hosts are judged by their heartbeat alone.
package artifact

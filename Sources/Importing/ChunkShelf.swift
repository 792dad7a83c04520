package import DataRows
internal import Locking

/// Where the memory of chunks that were sent waits for the next ones.
///
/// A chunk takes some megabytes: as new memory each time, they would be cleared by the kernel a page at a time before anything
/// is written to them. What lies here is given back to the system once nobody makes chunks any more.
package final class ChunkShelf: Sendable {
    private let state = Locked<(makers: Int, spare: [ChunkBuffer])>((0, []))

    /// Creates an empty shelf.
    package init() {}

    /// How many chunks' memory lies here.
    package var spareCount: Int { state.withLock { $0.spare.count } }

    /// Makes chunks in `body`, with memory from the shelf.
    package func use<Value>(_ body: () throws -> Value) rethrows -> Value {
        state.withLock { $0.makers += 1 }
        defer {
            state.withLock { state in
                state.makers -= 1
                if state.makers == 0 { state.spare = [] }
            }
        }
        return try body()
    }

    /// An empty chunk.
    package func take() -> ChunkBuffer { state.withLock { $0.spare.popLast() } ?? ChunkBuffer() }

    /// Takes a chunk away that was sent, for the next one; if somebody still holds its bytes, they are not used again.
    package func putBack(_ chunk: inout ChunkBuffer) {
        var sent = ChunkBuffer.none
        swap(&sent, &chunk)
        sent.removeAll()
        state.withLock { state in
            if state.spare.count < state.makers { state.spare.append(sent) }
        }
    }
}

import DataRows
import Importing
import Testing

@Suite("The shelf of chunks")
struct ChunkShelfTests {
    private func address(_ chunk: ChunkBuffer) -> UInt? {
        chunk.bytes.withUnsafeBytes { $0.baseAddress.map { UInt(bitPattern: $0) } }
    }

    @Test("the memory of a chunk that was sent is that of the next one, which is empty")
    func isUsedAgain() {
        let shelf = ChunkShelf()
        shelf.use {
            var chunk = shelf.take()
            chunk.close()
            let before = address(chunk)
            shelf.putBack(&chunk)
            let next = shelf.take()
            #expect(address(next) == before)
            #expect(next.isEmpty)
            #expect(next.bytes == Array("[".utf8))
        }
    }

    @Test("who still holds the bytes of a chunk keeps them as they were")
    func isNotSharedWithTheSender() {
        let shelf = ChunkShelf()
        shelf.use {
            var chunk = shelf.take()
            chunk.close()
            let sent = chunk.bytes
            shelf.putBack(&chunk)
            var next = shelf.take()
            next.close()
            next.removeAll()
            #expect(sent == Array("[]".utf8))
        }
    }

    @Test("no more lie on it than chunks are made at a time, and none once nobody makes any")
    func isBounded() {
        let shelf = ChunkShelf()
        var chunks = (0..<3).map { _ in shelf.take() }
        shelf.use {
            shelf.putBack(&chunks[0])
            shelf.putBack(&chunks[1])
            #expect(shelf.spareCount == 1)
            shelf.use {
                shelf.putBack(&chunks[2])
                #expect(shelf.spareCount == 2)
            }
        }
        #expect(shelf.spareCount == 0)
        var late = ChunkBuffer()
        shelf.putBack(&late)
        #expect(shelf.spareCount == 0)
    }
}

import Files
import SystemPackage
import Testing

@Suite("Atomic file")
struct AtomicFileTests {
    @Test("replaces what was there, and leaves nothing else behind", arguments: [true, false])
    func replaces(durable: Bool) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("old", to: "a.json")
        try AtomicFile.write(Array("new".utf8), to: path, durable: durable)
        #expect(try text(of: path) == "new")
        #expect(try folder.files() == ["a.json"])
    }
}

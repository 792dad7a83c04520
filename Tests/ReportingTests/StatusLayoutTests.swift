import Reporting
import SystemPackage
import Testing

@Suite("Status layout")
struct StatusLayoutTests {
    private let layout = StatusLayout(stateDirectory: "/state")

    @Test(
        "a status lies under the name of its watch and the path of its manifest",
        arguments: [
            ("a.json", "/state/status/cats/a.json.status.json"),
            ("batch7/rows.json", "/state/status/cats/batch7/rows.json.status.json"),
            ("../../etc/passwd", "/state/status/cats/etc/passwd.status.json"),
            ("/etc/passwd", "/state/status/cats/etc/passwd.status.json"),
        ])
    func places(path: String, file: String) {
        #expect(layout.file(watch: "cats", path: FilePath(path)) == FilePath(file))
    }

    @Test("a name keeps its bytes")
    func anyBytes() {
        let path = FilePath(platformString: [0x61, -1, 10, 0])
        #expect(
            layout.file(watch: "w", path: path).lastComponent
                == FilePath(platformString: [0x61, -1, 10] + ".status.json".utf8.map { CChar($0) } + [0]).lastComponent)
    }

    @Test("a name that would be too long is cut between characters and keeps apart from its like")
    func longNames() throws {
        let fits = String(repeating: "x", count: 243)
        #expect(layout.file(watch: "w", path: FilePath(fits)).lastComponent?.string == fits + ".status.json")
        var seen: Set<String> = []
        for name in [fits + "y", fits + "z", String(repeating: "é", count: 127)] {
            let short = try #require(layout.file(watch: "w", path: FilePath(name)).lastComponent?.string)
            #expect(short.utf8.count <= 255)
            #expect(short.wholeMatch(of: /.*~[0-9a-f]{16}\.status\.json/) != nil)
            #expect(!short.contains("\u{FFFD}"))
            seen.insert(short)
        }
        #expect(seen.count == 3)
    }

    @Test("a watch cannot lead out of the folder")
    func watchNames() {
        #expect(layout.file(watch: "../x", path: "a").string == "/state/status/.._x/a.status.json")
    }
}

import Foundation
import Fuzzing
import Testing

/// What was found to be worth keeping by `Scripts/fuzz`, and each input that once did harm.
@Suite("Seeds of fuzzing") struct SeedTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Corpus")
        .standardized

    @Test("each target's property holds of each of its seeds", arguments: FuzzTarget.allCases)
    func replay(_ target: FuzzTarget) throws {
        let folder = Self.folder.appending(path: target.rawValue)
        let seeds = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(seeds.count >= 3, "there is nothing to try")
        for seed in seeds {
            let input = Array(try Data(contentsOf: seed))
            do { try target.run(input) } catch { Issue.record("\(seed.lastPathComponent): \(error)") }
        }
    }

    @Test("what datarowctl asks for is read as a request", arguments: ["pause", "resume", "reload", "cancel", "retry"])
    func requests(verb: String) throws {
        let seed = Array(try Data(contentsOf: Self.folder.appending(path: "request/\(verb)")))
        #expect(FuzzTarget.isRequest(seed))
    }

    @Test("there are no seeds for a target that is not there")
    func complete() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path(percentEncoded: false))
        #expect(Set(names) == Set(FuzzTarget.allCases.map(\.rawValue)))
    }
}

import Foundation
import Testing

/// What a daemon does that meets damage while it runs.
@Suite("Damage while it runs", .serialized)
struct DamageTests {
    @Test("a ledger that is emptied under it ends the daemon with 65 and a sentence", .timeLimit(.minutes(3)))
    func running() async throws {
        try await Site.with { site in
            try await site.start()
            try site.drop("a.json", #"[{"row_data": "https://example.com/1.jpg"}]"#)
            try await site.ended("a.json")
            for name in ["ledger.sqlite", "ledger.sqlite-wal"] {
                let file = try FileHandle(forWritingTo: site.state.appending(path: name))
                try file.truncate(atOffset: 0)
                try file.close()
            }
            // Pages that are in memory are read from there; sooner or later one is not.
            var number = 0
            _ = try await eventually(within: .seconds(60), "the daemon has ended") {
                number += 1
                try site.drop("b\(number).json", #"[{"row_data": "https://example.com/b\#(number).jpg"}]"#)
                return site.daemon?.end
            }
            #expect(site.daemon?.end == .exited(65))
            #expect(site.logged().contains("Ledger damaged"))
            #expect(site.logged().contains("`datarowctl ledger rebuild`"))
        }
    }
}

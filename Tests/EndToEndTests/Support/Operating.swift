import Foundation
import Testing

/// What tests of control and reload share.
enum Operating {
    static func rows(_ count: Int, _ prefix: String) -> String {
        "[" + (0..<count).map { #"{"row_data": "https://example.com/\#(prefix)/\#($0).jpg"}"# }.joined(separator: ", ")
            + "]"
    }

    static func daemon(_ site: Site, is state: String, _ reason: String = "") async throws {
        try await eventually(within: .seconds(60), "the daemon is \(state) (\(reason))") { () -> Void? in
            guard let status = try site.daemonStatus(), status["state"].string == state else { return nil }
            return reason.isEmpty || status["state_reason"].string?.contains(reason) == true ? () : nil
        }
    }

    /// Each row is there, once.
    static func expectOnce(_ site: Site, _ count: Int) async throws {
        let rows = try await site.simulator.rows()
        #expect(rows.count == count)
        #expect(Set(rows.compactMap { $0["row_data"].string }).count == count)
    }

    /// Calls that change something at Labelbox.
    static func changes(_ site: Site) async throws -> Int {
        try await site.simulator.calls().count { call in
            call["operations"].list.contains { ["uploadFile", "upsertDataRows"].contains($0.string ?? "") }
        }
    }
}

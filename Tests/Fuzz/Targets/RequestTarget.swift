internal import Foundation
internal import Ledger
internal import Reporting

extension FuzzTarget {
    /// Whether the seed gets past the reader; one that does not finds nothing behind it.
    package static func isRequest(_ input: [UInt8]) -> Bool { (try? RequestFile.read(input)) != nil }
}

/// A request is refused with a sentence, or taken; what was taken can be logged, recorded and written again.
enum RequestTarget {
    static func run(_ input: [UInt8]) throws {
        let request: OperatorRequest
        do throws(RequestFileError) { request = try RequestFile.read(input) } catch {
            try hold(!error.description.isEmpty && HarmlessText.of(error.description) == error.description, "\(error)")
            return
        }
        try hold(HarmlessText.of(request.id) == request.id && !request.id.isEmpty, "an id such as \(request.id)")
        for word in [request.id, request.watch ?? "w", request.importID ?? "i"] {
            try hold((1...1_024).contains(word.utf8.count), "a word of \(word.utf8.count) bytes")
        }
        try hold(![.cancel, .retry].contains(request.verb) || request.importID != nil, "it is about nothing")
        // As it is logged.
        let date = ISO8601DateFormatter().string(from: Date(timeIntervalSince1970: request.askedAt))
        try hold(date.utf8.count == 20, "asked at \(date)")
        let again = try RequestFile.bytes(of: request)
        try hold(try RequestFile.read(again) == request, "comes back different: \(again.quoted)")
        // Limits of the folder that it lies in hold for what is written, too.
        try hold(again.count <= 64 << 10, "\(again.count) bytes")
    }
}

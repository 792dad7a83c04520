internal import Foundation
public import Ledger

/// Why a file is no request.
public struct RequestFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A sentence without anything of what the file holds.
    public let description: String

    init(_ description: String) { self.description = description }
}

/// What an operator asks for, as the file that `datarowctl` writes and the daemon reads.
///
/// Whoever may put files there may write anything, so nothing is believed.
public enum RequestFile {
    /// Longer words are none of ours, and would be carried into the ledger and the log.
    static let longestWord = 1_024
    /// The end of the year 9999: later moments cannot be written as a date.
    private static let lastMoment = 253_402_300_799.0

    /// The file's content.
    public static func bytes(of request: OperatorRequest) throws -> [UInt8] {
        Array(try JSONEncoder().encode(request))
    }

    /// Reads the file's content.
    public static func read(_ bytes: [UInt8]) throws(RequestFileError) -> OperatorRequest {
        let request: OperatorRequest
        do {
            request = try JSONDecoder().decode(OperatorRequest.self, from: Data(bytes))
        } catch {
            throw RequestFileError(
                "it is no request of this version: a JSON object with id, verb and asked_at was expected")
        }
        guard !request.id.isEmpty, request.id.utf8.count <= 100, request.id.utf8.allSatisfy(isPlain) else {
            throw RequestFileError("its id is no id: up to 100 letters, digits and dashes were expected")
        }
        guard (0...lastMoment).contains(request.askedAt) else {
            throw RequestFileError("the time at which it was asked is none")
        }
        for word in [request.watch, request.importID].compactMap(\.self) {
            guard (1...longestWord).contains(word.utf8.count) else {
                throw RequestFileError("what it is about has no name, or one that is too long")
            }
        }
        if [.cancel, .retry].contains(request.verb), request.importID == nil {
            throw RequestFileError("it does not say which import it is about")
        }
        return request
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x2d
    }
}

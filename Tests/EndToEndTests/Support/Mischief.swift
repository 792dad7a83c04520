import Foundation

/// What a hostile network does to one request.
struct Mischief: Sendable, CustomStringConvertible {
    /// What becomes of the connection, and of the answer.
    enum Ending: Sendable {
        /// The connection is reset, without an answer.
        case reset
        /// The connection ends in good order, without an answer: what makes libcurl send a request again by itself.
        case close
        /// Nothing more happens, and the connection stays open.
        case hold
        /// An answer in place of the server's, made from that where the server had one.
        case answer(@Sendable (WireMessage?) -> WireMessage)
        /// Half of the answer, and then one of the others.
        indirect case half(then: Ending)
        /// The answer a few bytes at a time, every so many milliseconds.
        case drip(bytes: Int, milliseconds: UInt32)
        /// A beginning, and then the same again and again for as long as somebody reads.
        case flood([UInt8], [UInt8])
    }

    /// In a sentence about what went wrong.
    let description: String
    /// Whether all of the request is read, or only its head.
    var isRead = true
    /// How long to wait after each 64 KiB of the request, in microseconds.
    var pace: UInt32 = 0
    /// Whether the server gets the request, and acts on it.
    var isForwarded = false
    let ending: Ending

    init(
        _ description: String, isRead: Bool = true, pace: UInt32 = 0, isForwarded: Bool = false, _ ending: Ending
    ) {
        self.description = description
        self.isRead = isRead
        self.pace = pace
        self.isForwarded = isForwarded
        self.ending = ending
    }

    // MARK: Of the connection

    static let resetDuring = Mischief("reset while it is sent", isRead: false, .reset)
    static let resetAfter = Mischief("reset once it was sent", .reset)
    static let closed = Mischief("closed without a word once it was sent", .close)
    static let lost = Mischief("carried out, and reset before the answer", isForwarded: true, .reset)
    static let lostSilently = Mischief("carried out, and closed without a word", isForwarded: true, .close)
    static let cutOff = Mischief("carried out, and the answer is cut off", isForwarded: true, .half(then: .close))
    static let stalled = Mischief(
        "carried out, and the answer stands still half-way", isForwarded: true, .half(then: .hold))
    static let swallowed = Mischief("swallowed, on a connection that stays open", .hold)
    static let unanswered = Mischief("carried out, and never answered", isForwarded: true, .hold)
    static let dripped = Mischief(
        "answered a few bytes at a time", isForwarded: true, .drip(bytes: 8, milliseconds: 10))

    static let connectionTroubles = [
        resetDuring, resetAfter, closed, lost, lostSilently, cutOff, stalled, swallowed, unanswered, dripped,
    ]

    // MARK: Of the answer

    static let badGateway = Mischief(
        "answered with a proxy's page",
        .answer { _ in
            .answer("502 Bad Gateway", "<html><head><title>502 Bad Gateway</title></head></html>", type: "text/html")
        })
    static let portal = Mischief(
        "answered with somebody's portal",
        .answer { _ in .answer("200 OK", "<!DOCTYPE html><p>Please log in to the guest network.", type: "text/html") })
    static let halfJSON = Mischief(
        "carried out, and answered with half of the JSON", isForwarded: true,
        .answer { answer in
            var answer = answer ?? .answer("200 OK", "")
            answer.body.removeLast(answer.body.count / 2)
            return answer
        })
    static let empty = Mischief("answered with nothing", .answer { _ in .answer("200 OK", "") })
    static let endless = Mischief(
        "answered without an end",
        .flood(
            Array("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"data\": {\"x\": \"".utf8),
            Array(repeating: UInt8(ascii: "x"), count: 1 << 20)))
    static let endlessHead = Mischief(
        "answered with a header without an end",
        .flood(Array("HTTP/1.1 200 OK\r\n".utf8), Array("X-Filler: \(String(repeating: "x", count: 4_000))\r\n".utf8)))
    static let noHTTP = Mischief(
        "answered in another language",
        .flood(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8), Array("protocol mismatch\r\n".utf8)))

    static let answerTroubles = [badGateway, portal, halfJSON, empty, endless, endlessHead, noHTTP]

    /// An answer of the API's form with other data in it; the server knows nothing of the request.
    static func data(_ description: String, _ data: String) -> Mischief {
        Mischief("answered with \(description)", .answer { _ in .answer("200 OK", #"{"data": \#(data)}"#) })
    }

    /// The server's own answer, with something in its text replaced.
    static func changed(
        _ description: String, _ change: @escaping @Sendable (String) -> String
    ) -> Mischief {
        Mischief(
            "carried out, and answered with \(description)", isForwarded: true,
            .answer { answer in
                var answer = answer ?? .answer("200 OK", "")
                answer.body = Array(change(String(decoding: answer.body, as: UTF8.self)).utf8)
                return answer
            })
    }
}

/// Why a multipart body cannot be read.
package struct MultipartError: Error, Equatable, CustomStringConvertible {
    package let description: String
}

/// The header of a part: its field name, and for a file its name and type.
package struct PartHeader: Equatable, Sendable {
    package var name = ""
    package var filename: String?
    package var contentType: String?

    package init(name: String = "", filename: String? = nil, contentType: String? = nil) {
        self.name = name
        self.filename = filename
        self.contentType = contentType
    }
}

/// What a multipart body's reader tells.
package protocol MultipartReceiver {
    /// A part begins.
    mutating func begin(_ header: PartHeader) throws
    /// Some of its bytes, valid for the time of the call.
    mutating func receive(_ bytes: UnsafeBufferPointer<UInt8>) throws
    /// The part is whole.
    mutating func endPart() throws
}

/// Reads `multipart/form-data` as it arrives, in pieces of any size, and keeps only what could be a boundary.
package struct MultipartParser {
    private enum State { case preamble, afterBoundary, header, body, epilogue }

    private let boundary: ByteSearch
    private var state = State.preamble
    /// Bytes of the last piece that could not be judged yet.
    private var held: [UInt8] = []
    private static let headerLimit = 16 * 1024

    /// - Parameter boundary: as in the request's Content-Type, without the dashes.
    package init(boundary: String) {
        self.boundary = ByteSearch("\r\n--\(boundary)".utf8)
        // The first boundary has no line before it; pretend that it has.
        held = [0x0D, 0x0A]
    }

    /// The boundary that a Content-Type names.
    package static func boundary(of contentType: String) -> String? {
        guard contentType.lowercased().hasPrefix("multipart/form-data") else { return nil }
        for parameter in contentType.split(separator: ";").dropFirst() {
            let pair = parameter.split(separator: "=", maxSplits: 1).map { $0.trimmingSpaces }
            guard pair.count == 2, pair[0].lowercased() == "boundary" else { continue }
            let value =
                pair[1].hasPrefix("\"") && pair[1].hasSuffix("\"") ? String(pair[1].dropFirst().dropLast()) : pair[1]
            return value.isEmpty ? nil : value
        }
        return nil
    }

    package var isComplete: Bool { state == .epilogue }

    /// Reads the next piece.
    package mutating func feed(
        _ bytes: UnsafeBufferPointer<UInt8>, to receiver: inout some MultipartReceiver
    ) throws {
        if held.isEmpty {
            try consume(bytes, to: &receiver)
        } else {
            let joined = held + bytes
            held = []
            try joined.withUnsafeBufferPointer { try consume($0, to: &receiver) }
        }
    }

    private mutating func consume(
        _ bytes: UnsafeBufferPointer<UInt8>, to receiver: inout some MultipartReceiver
    ) throws {
        var rest = bytes
        func hold(_ count: Int) -> [UInt8] { Array(rest.suffix(count)) }
        while true {
            switch state {
            case .preamble, .body:
                let found = boundary.first(in: rest)
                let end = found ?? rest.count - boundary.openEnd(of: rest)
                if state == .body, end > 0 { try receiver.receive(UnsafeBufferPointer(rebasing: rest[..<end])) }
                guard found != nil else {
                    held = hold(rest.count - end)
                    return
                }
                if state == .body { try receiver.endPart() }
                state = .afterBoundary
                rest = UnsafeBufferPointer(rebasing: rest[(end + boundary.needle.count)...])
            case .afterBoundary:
                guard rest.count >= 2 else {
                    held = hold(rest.count)
                    return
                }
                switch (rest[0], rest[1]) {
                case (0x0D, 0x0A):
                    // The line end stays: it is half of the end of a header without lines.
                    state = .header
                case (UInt8(ascii: "-"), UInt8(ascii: "-")): state = .epilogue
                default: throw MultipartError(description: "a boundary is followed by something else than a line end")
                }
            case .header:
                guard let end = Self.headerEnd.first(in: rest) else {
                    guard rest.count < Self.headerLimit else {
                        throw MultipartError(description: "a part's header is too long")
                    }
                    held = hold(rest.count)
                    return
                }
                let text = String(decoding: rest[..<end], as: UTF8.self)
                try receiver.begin(try Self.header(text))
                state = .body
                rest = UnsafeBufferPointer(rebasing: rest[(end + 4)...])
            case .epilogue: return
            }
        }
    }

    private static let headerEnd = ByteSearch("\r\n\r\n".utf8)

    private static func header(_ text: String) throws -> PartHeader {
        var header = PartHeader()
        for line in text.split(whereSeparator: { $0 == "\r\n" || $0 == "\n" }) {
            let pair = line.split(separator: ":", maxSplits: 1)
            guard pair.count == 2 else { throw MultipartError(description: "a header line has no colon: \(line)") }
            let value = pair[1].trimmingSpaces
            switch pair[0].lowercased() {
            case "content-disposition":
                header.name = parameter("name", of: value) ?? ""
                header.filename = parameter("filename", of: value)
            case "content-type": header.contentType = value
            default: break
            }
        }
        guard !header.name.isEmpty else { throw MultipartError(description: "a part has no name") }
        return header
    }

    /// A quoted parameter, with the three escapes that form encoding has.
    private static func parameter(_ name: String, of value: String) -> String? {
        guard let range = value.firstRange(of: "; \(name)=\"") ?? value.firstRange(of: ";\(name)=\"") else {
            return nil
        }
        let text = value[range.upperBound...].prefix { $0 != "\"" }
        return String(text).replacing("%22", with: "\"").replacing("%0D", with: "\r").replacing("%0A", with: "\n")
    }
}

extension StringProtocol {
    fileprivate var trimmingSpaces: String {
        var text = Substring(self)
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}

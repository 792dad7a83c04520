/// What is wrong with a text that should be JSON.
public enum JSONFault: String, Sendable, Codable {
    case unexpectedByte = "unexpected_character"
    case controlCharacter = "control_character"
    case invalidUTF8 = "invalid_utf8"
    case invalidEscape = "invalid_escape"
    case invalidNumber = "invalid_number"
    case tooDeep = "nested_too_deeply"
}

/// The same check as ``JSONScanner``, a byte at a time, with all its state in hand.
///
/// It can stop after any byte and go on in the next window, so it passes over a row of any size without
/// holding it; and it knows where a text went wrong, and at which place in the document.
struct JSONSkimmer {
    enum Outcome: Equatable {
        /// All bytes were taken and the value goes on.
        case open
        /// The value ended before this index.
        case ended(Int)
        case fault(Int, JSONFault)
    }

    private enum State: UInt8 {
        case value, firstElement, firstKey, key, colon, afterValue
        case string, escape, hex, utf8
        case literal
        case minus, zero, integer, point, fraction, exponent, exponentSign, exponentDigits
        case done
    }

    private struct Level {
        let isObject: Bool
        var index = 0
        var key: [UInt8] = []
    }

    private let depthLimit: Int
    private let tracksPath: Bool
    private var state = State.value
    private var objects: UInt64 = 0
    private var depth = 0
    private var isKey = false
    private var remaining = 0
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xbf
    private var expected: StaticString = ""
    private var matched = 0
    private var levels: [Level] = []

    init(depthLimit: Int, tracksPath: Bool = false) {
        self.depthLimit = depthLimit
        self.tracksPath = tracksPath
    }

    /// At the end of the text: whether the value is whole.
    var endsHere: Bool {
        switch state {
        case .done: true
        case .zero, .integer, .fraction, .exponentDigits: depth == 0
        default: false
        }
    }

    /// Where in the value the last byte stands, as a JSON pointer (RFC 6901); `""` is the value itself.
    var pointer: String {
        levels.reduce(into: "") { text, level in
            text += "/"
            text += level.isObject ? JSONText.pointerToken(level.key) : String(level.index)
        }
    }

    mutating func feed(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        var at = 0
        while at < bytes.count {
            if state == .done { return .ended(at) }
            switch step(bytes[at]) {
            case .took: at += 1
            case .again: continue
            case .fault(let fault): return .fault(at, fault)
            }
        }
        return state == .done ? .ended(at) : .open
    }

    private enum Step {
        case took
        /// The byte belongs to what follows a number.
        case again
        case fault(JSONFault)
    }

    private mutating func step(_ byte: UInt8) -> Step {
        switch state {
        case .value, .firstElement: return beginValue(byte)
        case .firstKey, .key:
            if byte.isJSONSpace { return .took }
            if byte == 0x7d, state == .firstKey { return close() }
            guard byte == 0x22 else { return .fault(.unexpectedByte) }
            isKey = true
            if tracksPath { levels[depth - 1].key.removeAll() }
            state = .string
        case .colon:
            if byte.isJSONSpace { return .took }
            guard byte == 0x3a else { return .fault(.unexpectedByte) }
            state = .value
        case .afterValue: return afterValue(byte)
        case .string: return inString(byte)
        case .escape:
            note(byte)
            switch byte {
            case 0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74: state = .string
            case 0x75:
                state = .hex
                remaining = 4
            default: return .fault(.invalidEscape)
            }
        case .hex:
            guard hexValue(byte) != nil else { return .fault(.invalidEscape) }
            note(byte)
            remaining -= 1
            if remaining == 0 { state = .string }
        case .utf8:
            guard byte >= lowest, byte <= highest else { return .fault(.invalidUTF8) }
            note(byte)
            lowest = 0x80
            highest = 0xbf
            remaining -= 1
            if remaining == 0 { state = .string }
        case .literal:
            guard byte == expected.utf8Start[matched] else { return .fault(.unexpectedByte) }
            matched += 1
            if matched == expected.utf8CodeUnitCount { valueEnded() }
        default: return inNumber(byte)
        }
        return .took
    }

    private mutating func beginValue(_ byte: UInt8) -> Step {
        if byte.isJSONSpace { return .took }
        switch byte {
        case 0x22:
            isKey = false
            state = .string
        case 0x7b, 0x5b:
            guard depth < depthLimit else { return .fault(.tooDeep) }
            let isObject = byte == 0x7b
            objects = objects << 1 | (isObject ? 1 : 0)
            depth += 1
            if tracksPath { levels.append(Level(isObject: isObject)) }
            state = isObject ? .firstKey : .firstElement
        case 0x5d where state == .firstElement: return close()
        case 0x2d: state = .minus
        case 0x30: state = .zero
        case 0x31...0x39: state = .integer
        case 0x74: begin("true")
        case 0x66: begin("false")
        case 0x6e: begin("null")
        default: return .fault(byte < 0x20 ? .controlCharacter : .unexpectedByte)
        }
        return .took
    }

    private mutating func begin(_ literal: StaticString) {
        expected = literal
        matched = 1
        state = .literal
    }

    private mutating func afterValue(_ byte: UInt8) -> Step {
        if byte.isJSONSpace { return .took }
        let isObject = objects & 1 == 1
        if byte == 0x2c {
            if tracksPath { levels[depth - 1].index += 1 }
            state = isObject ? .key : .value
            return .took
        }
        guard byte == (isObject ? 0x7d : 0x5d) else { return .fault(.unexpectedByte) }
        return close()
    }

    private mutating func close() -> Step {
        objects >>= 1
        depth -= 1
        if tracksPath { levels.removeLast() }
        valueEnded()
        return .took
    }

    private mutating func valueEnded() {
        state = depth == 0 ? .done : .afterValue
    }

    private mutating func note(_ byte: UInt8) {
        if tracksPath, isKey, levels[depth - 1].key.count < 256 { levels[depth - 1].key.append(byte) }
    }

    private mutating func inString(_ byte: UInt8) -> Step {
        switch byte {
        case 0x22:
            if isKey {
                isKey = false
                state = .colon
            } else {
                valueEnded()
            }
            return .took
        case 0x5c: state = .escape
        case 0..<0x20: return .fault(.controlCharacter)
        case 0x20..<0x80: break
        case 0xc2...0xdf: expectTail(1)
        case 0xe0...0xef:
            expectTail(2)
            if byte == 0xe0 { lowest = 0xa0 }
            if byte == 0xed { highest = 0x9f }
        case 0xf0...0xf4:
            expectTail(3)
            if byte == 0xf0 { lowest = 0x90 }
            if byte == 0xf4 { highest = 0x8f }
        default: return .fault(.invalidUTF8)
        }
        note(byte)
        return .took
    }

    private mutating func expectTail(_ count: Int) {
        remaining = count
        lowest = 0x80
        highest = 0xbf
        state = .utf8
    }

    private mutating func inNumber(_ byte: UInt8) -> Step {
        let isDigit = byte &- 0x30 < 10
        switch state {
        case .minus:
            guard isDigit else { return .fault(.invalidNumber) }
            state = byte == 0x30 ? .zero : .integer
        case .zero, .integer:
            if isDigit {
                if state == .zero { return .fault(.invalidNumber) }
            } else if byte == 0x2e {
                state = .point
            } else if byte | 0x20 == 0x65 {
                state = .exponent
            } else {
                valueEnded()
                return .again
            }
        case .point:
            guard isDigit else { return .fault(.invalidNumber) }
            state = .fraction
        case .fraction:
            if isDigit { break }
            if byte | 0x20 == 0x65 {
                state = .exponent
            } else {
                valueEnded()
                return .again
            }
        case .exponent:
            if byte == 0x2b || byte == 0x2d {
                state = .exponentSign
            } else {
                guard isDigit else { return .fault(.invalidNumber) }
                state = .exponentDigits
            }
        case .exponentSign:
            guard isDigit else { return .fault(.invalidNumber) }
            state = .exponentDigits
        default:
            if !isDigit {
                valueEnded()
                return .again
            }
        }
        return .took
    }
}

extension UInt8 {
    /// Space, tab, line feed or carriage return: all that RFC 8259 allows between tokens.
    @inline(__always) var isJSONSpace: Bool { self == 0x20 || self == 0x0a || self == 0x0d || self == 0x09 }
}

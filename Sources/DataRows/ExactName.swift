internal import Glibc

/// A name by its bytes: a global key, an external id, a file's path.
///
/// To Swift, `é` is the same text in each of Unicode's spellings; to the server they are two names, of two rows, and to the
/// disk they are two files. Whatever is matched by a name is matched by one of these.
public struct ExactName: Hashable, Sendable {
    public let text: String

    public init(_ text: String) { self.text = text }

    public static func == (left: ExactName, right: ExactName) -> Bool {
        // Not `elementsEqual`, which asks for one byte after the other: rows are matched by this.
        var (left, right) = (left.text, right.text)
        return left.withUTF8 { left in
            right.withUTF8 { right in
                guard left.count == right.count, let first = left.baseAddress, let second = right.baseAddress else {
                    return left.count == right.count
                }
                return memcmp(first, second, left.count) == 0
            }
        }
    }

    public func hash(into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // Ends it, so that two names in a row are not taken for other two.
        hasher.combine(0xff as UInt8)
    }
}

extension ExactName: ExpressibleByStringLiteral {
    public init(stringLiteral text: String) { self.init(text) }
}

extension ExactName: CustomStringConvertible {
    public var description: String { text }
}

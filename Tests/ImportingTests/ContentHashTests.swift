import Importing
import Testing

@Suite("What a content is known by")
struct ContentHashTests {
    /// The first 32 bytes that BLAKE3's own test vectors give for so many bytes, which count from 0 to 250 over and over.
    private static let vectors: [(count: Int, digest: String)] = [
        (0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
        (1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"),
        (63, "e9bc37a594daad83be9470df7f7b3798297c3d834ce80ba85d6e207627b7db7b"),
        (64, "4eed7141ea4a5cd4b788606bd23f46e212af9cacebacdc7d1f4c6dc7f2511b98"),
        (65, "de1e5fa0be70df6d2be8fffd0e99ceaa8eb6e8c93a63f2d8d1c30ecb6b263dee"),
        (127, "d81293fda863f008c09e92fc382a81f5a0b4a1251cba1634016a0f86a6bd640d"),
        (128, "f17e570564b26578c33bb7f44643f539624b05df1a76c81f30acd548c44b45ef"),
        (1_023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"),
        (1_024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"),
        (1_025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"),
        (2_048, "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a"),
        (2_049, "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030"),
        (3_073, "7124b49501012f81cc7f11ca069ec9226cecb8a2c850cfe644e327d22d3e1cd3"),
        (4_097, "9b4052b38f1c5fc8b1f9ff7ac7b27cd242487b3d890d15c96a1c25b8aa0fb995"),
        (5_121, "628bd2cb2004694adaab7bbd778a25df25c47b9d4155a55f8fbd79f2fe154cff"),
        (8_192, "aae792484c8efe4f19e2ca7d371d8c467ffb10748d8a5a1ae579948f718a2a63"),
        (8_193, "bab6c09cb8ce8cf459261398d2e7aef35700bf488116ceb94a36d0f5f1b7bc3b"),
        (16_384, "f875d6646de28985646f34ee13be9a576fd515f76b5b0a26bb324735041ddde4"),
        (31_744, "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47"),
        (102_400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"),
    ]

    @Test("it is BLAKE3")
    func vectors() {
        for (count, digest) in Self.vectors {
            #expect(Self.hex(Self.bytes(count).withUnsafeBytes { ContentHash.digest(of: $0) }) == digest, "\(count)")
        }
    }

    @Test("it does not depend on the pieces that the bytes come in")
    func pieces() {
        let bytes = Self.bytes(1_300_003)
        // Pieces of a chunk are joined one by one, as those of the vectors are.
        let expected = Self.digest(bytes, inPiecesOf: 1024)
        for piece in [1, 1000, 1025, 65_536, 100_000, 262_144, 524_288, 1_048_577, 2_000_000] {
            #expect(Self.digest(bytes, inPiecesOf: piece) == expected, "\(piece)")
        }
    }

    @Test("a digest may be asked for between the pieces")
    func asked() {
        var hash = ContentHash()
        for count in 1...40 {
            Self.bytes(40 * 1024)[((count - 1) * 1024)..<(count * 1024)].withUnsafeBytes { hash.update($0) }
            #expect(hash.digest() == Self.bytes(count * 1024).withUnsafeBytes { ContentHash.digest(of: $0) })
        }
    }

    private static func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8($0 % 251) } }

    private static func digest(_ bytes: [UInt8], inPiecesOf count: Int) -> [UInt8] {
        var hash = ContentHash()
        for start in stride(from: 0, to: bytes.count, by: count) {
            bytes[start..<min(start + count, bytes.count)].withUnsafeBytes { hash.update($0) }
        }
        return hash.digest()
    }

    private static func hex(_ digest: [UInt8]) -> String {
        digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

@Suite("What is hashed while it is sent")
struct SentContentTests {
    private let bytes: [UInt8] = (0..<5000).map { UInt8($0 % 256) }

    private var expected: [UInt8] { bytes.withUnsafeBytes { ContentHash.digest(of: $0) } }

    private func send(_ content: SentContent, _ range: Range<Int>) {
        bytes[range].withUnsafeBytes { content.take($0, at: Int64(range.lowerBound)) }
    }

    @Test("a content that was sent in pieces has its digest")
    func whole() {
        let content = SentContent()
        send(content, 0..<3000)
        #expect(content.digest(ifSent: 5000) == nil)
        send(content, 3000..<5000)
        #expect(content.digest(ifSent: 5000) == expected)
    }

    @Test("an attempt that begins anew is hashed anew")
    func again() {
        let content = SentContent()
        send(content, 0..<3000)
        send(content, 0..<4000)
        send(content, 4000..<5000)
        #expect(content.digest(ifSent: 5000) == expected)
    }

    @Test("what was not sent in order has no digest")
    func gap() {
        let content = SentContent()
        send(content, 0..<3000)
        send(content, 3500..<5000)
        send(content, 3000..<4500)
        #expect(content.digest(ifSent: 5000) == nil)
        #expect(content.digest(ifSent: 4500) != nil)
    }
}

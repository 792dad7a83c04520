import DataRows
import SystemPackage
import Testing

@Suite struct Inflation {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func gzip(_ text: [UInt8], level: Int = 6) throws -> [UInt8] {
        try Command.run("/usr/bin/gzip", ["-c", "-n", "-\(level)"], input: text)
    }

    private func inflate(
        _ bytes: [UInt8], name: String = "rows.jsonl.gz", limits: InflationLimits = InflationLimits()
    ) throws -> ManifestFile {
        try ManifestInflation.inflate(
            scratch.manifest(bytes, name), to: scratch.path.appending("text"), limits: limits)
    }

    private static let text = Array(
        (0..<20_000).map { #"{"row_data":"https://x/\#($0).jpg"}"# }.joined(separator: "\n").utf8)

    @Test(arguments: [1, 9])
    func theTextIsThatWhichWasCompressed(_ level: Int) throws {
        let bytes = try gzip(Self.text, level: level)
        let text = try inflate(bytes)
        #expect(text.byteCount == Int64(Self.text.count))
        #expect(try text.bytes(in: 0..<text.byteCount) == Self.text)
        #expect(text.format == ManifestFormat(.lines))
        let survey = try Survey(text)
        #expect(survey.summary.rows == 20_000)
        #expect(survey.summary.dropped.byteCount == Int64(bytes.count))
        #expect(survey.summary.dropped.hexadecimal == (try SHA256Oracle.hexadecimal(bytes)))
        #expect(try scratch.names() == ["rows.jsonl.gz", "text"])
    }

    @Test func severalMembersAreOneText() throws {
        let half = Self.text.count / 2
        let bytes = try gzip(Array(Self.text[..<half])) + gzip([]) + gzip(Array(Self.text[half...]))
        let text = try inflate(bytes)
        #expect(try text.bytes(in: 0..<text.byteCount) == Self.text)
    }

    @Test func everyCutIsATruncation() throws {
        let small = try gzip(Array("[{\"row_data\":\"x\"}]".utf8))
        for bytes in [small, small + small] {
            for length in 0..<bytes.count where length != small.count {
                let error = try #require(throws: ManifestError.self) { try inflate(Array(bytes[..<length])) }
                #expect(error.isTruncation, "cut after \(length): \(error)")
            }
        }
        #expect(try scratch.names() == ["rows.jsonl.gz"])
    }

    @Test func zerosBehindTheTextAreNone() throws {
        let bytes = try gzip(Self.text)
        let whole = try inflate(bytes).byteCount
        for padding in [1, 511, 1 << 17] {
            #expect(try inflate(bytes + [UInt8](repeating: 0, count: padding)).byteCount == whole)
        }
        #expect(try inflate(bytes + [0, 0] + bytes).byteCount == 2 * whole)
    }

    @Test func damageIsNoticed() throws {
        let bytes = try gzip(Self.text)
        var wrongSum = bytes
        wrongSum[bytes.count - 6] ^= 1
        var wrongSize = bytes
        wrongSize[bytes.count - 1] ^= 1
        for (damaged, code) in [
            (wrongSum, "corrupt_gzip"), (wrongSize, "corrupt_gzip"), (bytes + Array("junk".utf8), "trailing_data"),
            (bytes + [0, 0, 1, 2], "trailing_data"), (Array("[{}]".utf8), "not_gzip"),
        ] {
            let error = try #require(throws: ManifestError.self) { try inflate(damaged) }
            #expect(error.code == code)
            #expect(!error.isTruncation)
        }
        var middle = bytes
        middle[bytes.count / 2] ^= 0xff
        #expect(throws: ManifestError.self) { try inflate(middle) }
        #expect(try scratch.names() == ["rows.jsonl.gz"])
    }

    @Test func bombsAreRefusedBeforeTheyUnfold() throws {
        let bomb = try gzip([UInt8](repeating: 0x20, count: 50 << 20), level: 9)
        #expect(bomb.count < 60_000)
        let ratio = try #require(throws: ManifestError.self) {
            try inflate(bomb, limits: InflationLimits(ratioGrace: 1 << 20))
        }
        #expect(ratio.code == "compression_bomb")
        let size = try #require(throws: ManifestError.self) {
            try inflate(bomb, limits: InflationLimits(maximumBytes: 1 << 20))
        }
        #expect(size.code == "too_large")
        #expect(try scratch.names() == ["rows.jsonl.gz"])
        // Small texts may repeat themselves as they like.
        #expect(try inflate(gzip([UInt8](repeating: 0x0a, count: 1 << 20))).byteCount == 1 << 20)
    }
}

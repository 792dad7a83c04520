import DataRows
import Foundation
import Ledger
import Locking
import SystemPackage
import Testing

@Suite("Damage to the ledger") struct DamageTests {
    /// A closed ledger with some history, and where its files are.
    private func withLedger(_ body: (FilePath) async throws -> Void) async throws {
        try await withFolder { folder in
            let path = folder.appending("ledger")
            let ledger = try SQLiteLedger.open(at: path)
            for number in 0..<20 { try await Bench(store: ledger).planned("i\(number)", [segment(0, 3)]) }
            try ledger.close()
            try await body(path)
        }
    }

    private func read(_ path: FilePath) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path.string)) }

    private func write(_ data: Data, to path: FilePath) throws {
        try data.write(to: URL(fileURLWithPath: path.string))
    }

    private func isCorrupt(_ error: (any Error)?) -> Bool {
        if case .corrupt? = error as? LedgerError { true } else { false }
    }

    @Test("One bit that is turned anywhere in any page is found, and named by its page") func bits() async throws {
        try await withLedger { path in
            let whole = try read(path)
            let clean = try await LedgerExamination.of(path)
            #expect(clean.damage.isEmpty && clean.contradictions.isEmpty)
            #expect(clean.imports == 20 && clean.unfinished == 20)
            let size = 4096
            let places = [20, 9, size / 2, size - 9, size - 1]
            for page in 0..<whole.count / size {
                let place = places[page % places.count]
                var data = whole
                data[page * size + place] ^= 8
                try write(data, to: path)
                let found = try await LedgerExamination.of(path)
                #expect(!found.damage.isEmpty, "page \(page + 1), byte \(place)")
            }
        }
    }

    @Test("A step that meets a damaged page fails as damage, and tells so once") func running() async throws {
        try await withFolder { folder in
            let path = folder.appending("ledger")
            let ledger = try SQLiteLedger.open(at: path)
            for number in 0..<200 { try await Bench(store: ledger).open("i\(number)") }
            try ledger.close()
            var data = try read(path)
            // All but the first pages, which opening reads.
            for page in 3..<data.count / 4096 { data[page * 4096 + 2000] ^= 1 }
            try write(data, to: path)
            let found = Locked<[LedgerError]>([])
            do {
                let ledger = try SQLiteLedger.open(at: path)
                ledger.onDamage { error in found.withLock { $0.append(error) } }
                for _ in 0..<2 {
                    let met = await damage { _ = try await ledger.imports(ImportFilter(limit: 1_000)) }
                    #expect(isCorrupt(met))
                }
                #expect(isCorrupt(ledger.damage))
                #expect(found.withLock { $0 }.count == 1)
                try ledger.close()
            } catch {
                // The migrations, which opening reads, are on a page that was damaged too.
                #expect(isCorrupt(error))
            }
        }
    }

    private func damage(_ body: () async throws -> Void) async -> (any Error)? {
        do { try await body() } catch { return error }
        return nil
    }

    @Test("A log that lost its last commits is found, and nothing is changed") func lostCommits() async throws {
        try await withFolder { folder in
            let path = folder.appending("ledger")
            let ledger = try SQLiteLedger.open(at: path)
            try await Bench(store: ledger).open("first")
            let log = FilePath(path.string + "-wal")
            let before = try read(log)
            try await Bench(store: ledger).open("second")
            // As a kill leaves it, in another folder.
            let copy = folder.appending("copy")
            for suffix in ["", "-wal", "-mark"] {
                try write(try read(FilePath(path.string + suffix)), to: FilePath(copy.string + suffix))
            }
            try ledger.close()
            let good = try SQLiteLedger.open(at: copy)
            #expect(try await good.find(ImportID(rawValue: "second")) != nil)
            try good.close()

            for log in [before, Data()] {
                let lost = folder.appending("lost")
                try write(try read(path), to: lost)
                try write(try read(FilePath(copy.string + "-mark")), to: FilePath(lost.string + "-mark"))
                // The file as it is before anything of the log went into it.
                try write(Data(try read(path).prefix(0)), to: lost)
                try write(log, to: FilePath(lost.string + "-wal"))
                for open in [{ try SQLiteLedger.open(at: lost) }, { try SQLiteLedger.openReadOnly(at: lost) }] {
                    let error = #expect(throws: LedgerError.self) { _ = try open() }
                    #expect(isCorrupt(error))
                }
                #expect(try read(lost).isEmpty)
            }
        }
    }

    @Test("A page of the file that is half written is no damage as long as the log has it whole") func torn()
        async throws
    {
        try await withFolder { folder in
            let path = folder.appending("ledger")
            let ledger = try SQLiteLedger.open(at: path)
            try await Bench(store: ledger).open("i")
            let copy = folder.appending("copy")
            for suffix in ["-wal", "-mark"] {
                try write(try read(FilePath(path.string + suffix)), to: FilePath(copy.string + suffix))
            }
            try write(try read(path).prefix(4096) + Data(repeating: 7, count: 9_000), to: copy)
            try ledger.close()
            let found = try await LedgerExamination.of(copy)
            #expect(found.damage.isEmpty && found.imports == 1)
            let again = try SQLiteLedger.open(at: copy)
            try await Bench(store: again).open("j")
            try again.close()
            #expect(try await LedgerExamination.of(copy).damage.isEmpty)
        }
    }

    @Test("A ledger that is gone is not taken for a new one, and one whose mark is gone or damaged is opened")
    func gone() async throws {
        try await withLedger { path in
            let whole = try read(path)
            let mark = FilePath(path.string + "-mark")
            try FileManager.default.removeItem(atPath: path.string)
            let error = #expect(throws: LedgerError.self) { _ = try SQLiteLedger.open(at: path) }
            #expect(isCorrupt(error))
            #expect(!FileManager.default.fileExists(atPath: path.string))

            try write(whole, to: path)
            for damaged in [Data(), Data(count: 38), Data(repeating: 0x39, count: 38)] {
                try write(damaged, to: mark)
                try SQLiteLedger.open(at: path).close()
            }
            try FileManager.default.removeItem(atPath: mark.string)
            try SQLiteLedger.open(at: path).close()
        }
    }

    @Test("A ledger without sums gets them, after a backup, and a header that lost its word for them is damage")
    func older() async throws {
        try await withFolder { folder in
            let path = folder.appending("ledger")
            try SQLiteLedger.createOld(at: path, version: "2")
            #expect(try read(path)[20] == 0)
            let ledger = try SQLiteLedger.open(at: path)
            try await Bench(store: ledger).open("i")
            try ledger.close()
            #expect(try read(path)[20] == 8)
            #expect(FileManager.default.fileExists(atPath: path.string + ".before-2"))
            #expect(try await LedgerExamination.of(path).damage.isEmpty)

            var data = try read(path)
            data[20] = 0
            try write(data, to: path)
            let error = #expect(throws: LedgerError.self) { _ = try SQLiteLedger.open(at: path) }
            #expect(isCorrupt(error))
        }
    }
}

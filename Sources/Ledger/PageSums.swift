internal import CPageSums
internal import GRDB
internal import Glibc

/// Sums over the pages of the ledger's file, which tell damage that SQLite cannot see.
///
/// SQLite looks at the structure of a page and never at the bytes of a row, so that a changed byte range or phase would be
/// acted upon. With eight reserved bytes in each page, a layer beneath SQLite writes a sum there, and refuses a page that
/// does not have it.
enum PageSums {
    /// The layer is SQLite's default from the first ledger on; files without reserved bytes pass it untouched.
    private static let layer: Int32 = page_sums_register()

    /// Has files that are opened from now on pass the layer.
    static func install() throws {
        let code = ResultCode(rawValue: layer)
        guard code == .SQLITE_OK else { throw DatabaseError(resultCode: code) }
    }

    /// Has a new file get the reserved bytes, or one that is vacuumed next.
    static func reserve(_ db: Database) throws {
        guard let connection = db.sqliteConnection else { return }
        let code = ResultCode(rawValue: page_sums_reserve(connection))
        // A file that has pages already keeps what it has until it is vacuumed.
        guard code == .SQLITE_OK || code == .SQLITE_READONLY else { throw DatabaseError(resultCode: code) }
    }

    /// What was found, for people.
    static var lastDamage: String {
        let page = page_sums_last_damaged()
        return page == 0 ? "a page is not as it was written" : "page \(page) is not as it was written"
    }

    /// How a ledger's file begins.
    enum Beginning: Equatable {
        /// There is none, or it is empty.
        case nothing
        /// Its pages have sums.
        case summed
        /// An older version wrote it, without sums.
        case plain
        /// It is no ledger, or damaged.
        case foreign(why: String)
    }

    /// Looks at the first bytes of a file, before SQLite believes them.
    static func beginning(of path: String) -> Beginning {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        // What cannot be read here, SQLite will tell in its own words.
        guard descriptor >= 0 else { return .nothing }
        defer { close(descriptor) }
        var header = [UInt8](repeating: 0, count: 100)
        let count = pread(descriptor, &header, header.count, 0)
        guard count > 0 else { return .nothing }
        guard count == header.count, header.starts(with: "SQLite format 3\0".utf8) else {
            return .foreign(why: "it does not begin as a ledger does")
        }
        switch Int(header[20]) {
        case page_sums_bytes: return .summed
        case 0: return .plain
        default: return .foreign(why: "its header is damaged")
        }
    }

    /// The numbers of the pages of a file that are not as they were written, at most `limit` of them.
    ///
    /// A page of zeros is none of them: SQLite leaves pages out that it never used. One that is just being written is
    /// looked at again.
    static func damagedPages(of path: String, limit: Int) -> [Int] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0, beginning(of: path) == .summed else { return [] }
        defer { close(descriptor) }
        var header = [UInt8](repeating: 0, count: 18)
        guard pread(descriptor, &header, header.count, 0) == header.count else { return [] }
        let said = Int(header[16]) << 8 | Int(header[17])
        let size = said == 1 ? 65536 : said
        guard size >= 512, size & (size - 1) == 0 else { return [1] }
        var page = [UInt8](repeating: 0, count: size)
        var damaged: [Int] = []
        var number = 1
        while damaged.count < limit, pread(descriptor, &page, size, off_t((number - 1) * size)) == size {
            var holds = holds(page, number)
            for _ in 0..<3 where !holds {
                usleep(20_000)
                guard pread(descriptor, &page, size, off_t((number - 1) * size)) == size else { return damaged }
                holds = self.holds(page, number)
            }
            if !holds { damaged.append(number) }
            number += 1
        }
        return damaged
    }

    private static func holds(_ page: [UInt8], _ number: Int) -> Bool {
        page_sums_hold(page, page.count, UInt64(number)) != 0 || page.allSatisfy { $0 == 0 }
    }
}

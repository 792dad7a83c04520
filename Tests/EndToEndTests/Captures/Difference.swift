import Foundation

/// Where datarowd means to do otherwise than the SDK, and why.
struct Difference: Sendable, Hashable, CustomStringConvertible {
    let name: String
    let reason: String
    /// Changes the lines of both until they are the same, and says whether there was anything to change.
    let settle: @Sendable (_ ours: inout [String], _ theirs: inout [String]) -> Bool

    var description: String { name }

    static func == (one: Difference, other: Difference) -> Bool { one.name == other.name }
    func hash(into hasher: inout Hasher) { hasher.combine(name) }

    init(
        _ name: String, _ reason: String,
        _ settle: @escaping @Sendable (_ ours: inout [String], _ theirs: inout [String]) -> Bool
    ) {
        self.name = name
        self.reason = reason
        self.settle = settle
    }
}

extension [String] {
    /// Takes lines out; true if there were any.
    fileprivate mutating func drop(_ isUnwanted: (String) -> Bool) -> Bool {
        let before = count
        removeAll(where: isUnwanted)
        return count < before
    }

    /// Takes out what the other has not, among lines that begin so.
    fileprivate mutating func dropSurplus(_ prefixes: [String], over others: [String]) -> Bool {
        var left = others
        return drop { line in
            guard prefixes.contains(where: line.hasPrefix) else { return false }
            if let index = left.firstIndex(of: line) {
                left.remove(at: index)
                return false
            }
            return true
        }
    }

    /// Leaves one of each among lines that begin so.
    fileprivate mutating func dropRepeated(_ prefixes: [String]) -> Bool {
        var seen: Set<String> = []
        return drop { line in prefixes.contains(where: line.hasPrefix) && !seen.insert(line).inserted }
    }

    fileprivate mutating func replace(_ old: String, with new: String) -> Bool {
        guard contains(where: { $0.contains(old) }) else { return false }
        self = map { $0.replacingOccurrences(of: old, with: new) }
        return true
    }
}

extension Difference {
    static let all: [Difference] = [
        namesTheRightWayRound, askedOnce, bothLists, rowNotReadBack, fieldsNotLoaded, namedAllTheSame, sameContentOnce,
        missingPathIsAnError, oneChunk,
        wholePages, refusedBeforehand, keysLookedUp, datasetAskedFirst, datasetNotAskedFirst, resultsRead,
        addressAskedAnew,
        notTheSyncForm, byCursor, readByOtherMeans, importBefore, noEmptyAttachments, tilesAsRowData, textAttachments,
        namelessReadAgain,
    ]

    private static let reads = [
        "user ", "dataset ", "customMetadataOntology ", "failedDataRowImports ", "successesfulDataRowImports ",
    ]

    static let namesTheRightWayRound = Difference(
        "a chunk's file name and content type",
        "the SDK passes the two the wrong way round, as its older version did not; the service looks at neither"
    ) { _, theirs in
        theirs.replace("in application/json (json_import.json)", with: "in json_import.json (application/json)")
    }

    static let askedOnce = Difference(
        "what is known is not asked again",
        "the SDK asks for the user with each task, and reads each list of results anew for each property"
    ) { _, theirs in theirs.dropRepeated(reads) }

    static let rowNotReadBack = Difference(
        "a created row is not fetched",
        "the SDK returns an object with all fields of the row; the results have its id, and 'rows get' fetches one"
    ) { ours, theirs in
        theirs.drop { $0.hasPrefix("dataRow ") }
            && (!theirs.contains { $0.hasPrefix("customMetadataOntology") }
                || ours.contains { $0.hasPrefix("customMetadataOntology") }
                || theirs.drop { $0.hasPrefix("customMetadataOntology") })
    }

    static let fieldsNotLoaded = Difference(
        "metadata fields are looked up for rows that have them",
        "the SDK loads them with the first row that it makes an object of"
    ) { ours, theirs in
        !ours.contains { $0.hasPrefix("customMetadataOntology") }
            && theirs.drop { $0.hasPrefix("customMetadataOntology") }
    }

    static let namelessReadAgain = Difference(
        "results of rows with neither key nor external id are read once more, with their content",
        "the SDK does not tell which row a result is about"
    ) { ours, _ in
        ours.drop { $0.contains("DataRowImports {\"data\":{\"first\":200,") }
    }

    static let namedAllTheSame = Difference(
        "a file whose extension tells nothing has its name", "the SDK calls it '1', and gives no content type"
    ) { ours, theirs in
        guard let there = theirs.first(where: { $0.hasPrefix("media 1 (no type) ") }),
            let here = ours.first(where: { $0.hasPrefix("media blob (") && $0.hasSuffix(there.dropFirst(18)) })
        else { return false }
        return theirs.drop { $0 == there } && ours.drop { $0 == here }
    }

    static let sameContentOnce = Difference(
        "one upload for each content", "the same bytes under two names need not be sent twice"
    ) { ours, theirs in
        // Only what went up under another name may be missing.
        let contents = Set(ours.filter { $0.hasPrefix("media ") }.compactMap { $0.split(separator: ") ").last })
        let here = ours
        return theirs.drop { line in
            line.hasPrefix("media ") && !here.contains(line)
                && line.split(separator: ") ").last.map(contents.contains) == true
        }
    }

    static let missingPathIsAnError = Difference(
        "a path without a file is an error",
        "the SDK leaves the item out, and starts a task with no rows; nobody would notice"
    ) { ours, theirs in
        let isNothingSent = !ours.contains { $0.hasPrefix("media ") || $0.hasPrefix("row ") || $0.contains("manifest") }
        let isEmpty = theirs.contains { $0.contains(#""item_count":0"#) }
        return isNothingSent && isEmpty && theirs.drop { _ in true } && (ours.drop { $0.hasPrefix("dataset ") } || true)
    }

    static let oneChunk = Difference(
        "where chunks end", "the limit was lowered in the recording from 10,000,000 bytes to 400"
    ) { _, theirs in
        theirs.dropRepeated(["chunk in"]) && theirs.replace(#"["<chunk>","<chunk>","<chunk>"]"#, with: #"["<chunk>"]"#)
    }

    static let wholePages = Difference(
        "how long pages are", "the length was lowered in the recording from 5,000 to 2"
    ) { _, theirs in theirs.replace(#""first":2"#, with: #""first":5000"#) }

    static let refusedBeforehand = Difference(
        "a row that the service would refuse is not sent", "its place in the manifest is told, and the others go"
    ) { ours, theirs in
        let before = theirs.count
        guard theirs.dropSurplus(["row "], over: ours) else { return false }
        let dropped = before - theirs.count
        // The list of chunks says how many rows there are.
        for (index, line) in theirs.enumerated() where line.hasPrefix("manifest in") {
            guard let count = line.firstMatch(of: #/"item_count":(\d+)/#).flatMap({ Int($0.1) }) else { continue }
            let shortened = line.replacing("\"item_count\":\(count)", with: "\"item_count\":\(count - dropped)")
            guard ours.contains(shortened) else { continue }
            theirs[index] = shortened
            return true
        }
        return !theirs.contains { $0.hasPrefix("manifest in") }
    }

    static let keysLookedUp = Difference(
        "keys are looked up",
        "the SDK reports that a key is in use; here the row that has it is the result, and rows are looked at before they are changed"
    ) { ours, _ in
        let isLookedUp = ours.drop { $0.hasPrefix("dataRowsForGlobalKeys") || $0.hasPrefix("dataRow ") }
        // Rows that are not there make an answer without data, so something that is there is asked for with them.
        return isLookedUp && (ours.dropRepeated(["user "]) || true)
    }

    static let datasetAskedFirst = Difference(
        "the dataset is asked after first",
        "the recording began with the mutation itself; who imports wants to know that there is a dataset"
    ) { ours, theirs in !theirs.contains { $0.hasPrefix("dataset ") } && ours.drop { $0.hasPrefix("dataset ") } }

    static let resultsRead = Difference(
        "the result file is read",
        "the older SDK never learned what became of the rows; its tasks name a file with the answer"
    ) { ours, theirs in !theirs.contains { $0.hasPrefix("GET ") } && ours.drop { $0.hasPrefix("GET ") } }

    static let addressAskedAnew = Difference(
        "the address of the results is asked for when they are read",
        "such addresses expire, and a daemon may come late"
    ) { ours, theirs in ours.dropSurplus(["task "], over: theirs) }

    static let notTheSyncForm = Difference(
        "one way of appending", "appendRowsToDatasetSync takes 1,000 rows at most and tells nothing of them"
    ) { ours, theirs in
        theirs.replace("appendRowsToDatasetSync ", with: "appendRowsToDataset ")
            && ours.drop { $0.hasPrefix("task ") || $0.hasPrefix("user ") }
    }

    static let byCursor = Difference(
        "rows are listed by cursor", "skipping costs the service more with each page, and misses rows while others go"
    ) { ours, theirs in
        ours.drop { $0.hasPrefix("datasetDataRows ") } && theirs.drop { $0.hasPrefix("dataset ") }
    }

    static let readByOtherMeans = Difference(
        "ids are known",
        "the SDK lists rows to have objects whose methods change them; here they are named by their ids"
    ) { ours, theirs in
        theirs.drop { line in
            ["dataset ", "datasetDataRows ", "customMetadataOntology "].contains(where: line.hasPrefix)
        } && !ours.isEmpty
    }

    static let bothLists = Difference(
        "both lists of results are asked for together", "a task that failed may have made rows all the same"
    ) { ours, theirs in ours.dropSurplus(["successesfulDataRowImports "], over: theirs) }

    static let datasetNotAskedFirst = Difference(
        "a list is asked for at once", "a dataset that is not there is an error of the list, too"
    ) { ours, theirs in !ours.contains { $0.hasPrefix("dataset ") } && theirs.drop { $0.hasPrefix("dataset ") } }

    static let importBefore = Difference(
        "the task was there before", "the recording makes it first; how imports are made is compared elsewhere"
    ) { ours, theirs in
        let isShortened = theirs.drop { line in
            ["dataset ", "chunk in", "row ", "manifest in", "upsertDataRows ", "failedDataRowImports "]
                .contains(where: line.hasPrefix)
        }
        return isShortened && theirs.dropRepeated(["user ", "task cmtask0000000000000000001"]) && !ours.isEmpty
    }

    static let noEmptyAttachments = Difference(
        "an upload adds nothing but the address", "the older SDK adds an empty list of attachments to rows with files"
    ) { ours, theirs in
        // Where the row itself has an empty list, it is as it was written.
        theirs.replace(#""attachments":[],"#, with: "") && (ours.replace(#""attachments":[],"#, with: "") || true)
    }

    static let tilesAsRowData = Difference(
        "tiled imagery is row data", "the current SDK and service take it there; the older had it in the place of a row"
    ) { ours, theirs in
        let here =
            #"row {"data":{"bounds":[[19.4,-99.2],[19.3,-99.1]],"epsg":"EPSG4326","maxZoom":20,"minZoom":12,"tileLayerUrl":"https://tiles.example.com/{z}/{x}/{y}.png"},"externalId":"tiles"}"#
        let there =
            #"row {"bounds":[[19.4,-99.2],[19.3,-99.1]],"epsg":"EPSG4326","externalId":"tiles","maxZoom":20,"minZoom":12,"tileLayerUrl":"https://tiles.example.com/{z}/{x}/{y}.png"}"#
        return ours.drop { $0 == here } && theirs.drop { $0 == there }
    }

    static let textAttachments = Difference(
        "texts are attached as RAW_TEXT", "the older SDK's TEXT is refused by the current one, and so here"
    ) { _, theirs in theirs.replace(#"{"type":"TEXT","value":"hello"}"#, with: #"{"type":"RAW_TEXT","value":"hello"}"#)
    }
}

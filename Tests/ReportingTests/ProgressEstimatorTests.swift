import Ledger
import Reporting
import Testing

@Suite("Progress")
struct ProgressEstimatorTests {
    private func work(
        total: Int, submitted: Int = 0, created: Int = 0, bytes: Int64 = 0, uploaded: Int64 = 0
    ) -> ProgressWork {
        var rows = RowCounts()
        rows.total = total
        rows.submitted = submitted
        rows.created = created
        var media = MediaCounts()
        media.bytes = bytes
        media.uploadedBytes = uploaded
        return ProgressWork(rows: rows, media: media)
    }

    @Test("rows count when submitted and when ended, media by its size")
    func fractions() {
        #expect(work(total: 0).fraction == 0)
        #expect(work(total: 100).fraction == 0)
        #expect(abs(work(total: 100, submitted: 50).fraction - 0.15) < 1e-9)
        #expect(work(total: 100, submitted: 100, created: 100).fraction == 1)
        let large = work(total: 1, bytes: 1 << 30, uploaded: 1 << 29).fraction
        #expect(abs(large - 0.5) < 0.01)
        #expect(work(total: 10, submitted: 20, created: 30).fraction == 1)
    }

    @Test("a steady pace gives the time that is left")
    func steady() {
        var estimator = ProgressEstimator()
        for second in 0...60 {
            estimator.observe(work(total: 1000, submitted: second * 10, created: second * 10), at: .seconds(second))
        }
        #expect(estimator.eta(work(total: 1000, submitted: 600, created: 600)) == 40)
    }

    @Test("nobody can say before anything moved")
    func unknown() {
        var estimator = ProgressEstimator()
        let still = work(total: 10)
        #expect(estimator.eta(still) == nil)
        estimator.observe(still, at: .zero)
        estimator.observe(still, at: .seconds(9))
        #expect(estimator.eta(still) == nil)
        #expect(estimator.rate == nil)
    }

    @Test("a stall lengthens the estimate, rows that are sent again do not make it negative")
    func stall() throws {
        var estimator = ProgressEstimator()
        estimator.observe(work(total: 100), at: .zero)
        let half = work(total: 100, submitted: 50, created: 50)
        estimator.observe(half, at: .seconds(10))
        let before = try #require(estimator.eta(half))
        estimator.observe(half, at: .seconds(100))
        let after = try #require(estimator.eta(half))
        #expect(after > before)
        estimator.observe(work(total: 100, submitted: 10, created: 10), at: .seconds(101))
        #expect(try #require(estimator.rate) > 0)
    }
}

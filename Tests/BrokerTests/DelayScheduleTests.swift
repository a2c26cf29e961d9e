import Control
import Model
import Testing

@testable import Broker

/// The release schedule's buckets and forecast.
@Suite struct DelayScheduleTests {
    @Test(arguments: [(-5, 0), (0, 0), (1, 1), (999, 1), (1_000, 2), (59_999, 3), (60_000, 4), (21_599_999, 7), (21_600_000, 8)])
    func `a due time has one bucket`(ms: Int, bucket: Int) {
        #expect(DelaySchedule.bucket(ms: Int64(ms)) == bucket)
    }

    @Test func `retries count by the attempt they wait for, and in the forecast`() {
        var schedule = DelaySchedule()
        schedule.add(retryIn: 500, attempt: 2)
        schedule.add(retryIn: 7_000, attempt: 2)
        schedule.add(retryIn: 7_500, attempt: 12)
        schedule.add(retryIn: -3, attempt: 3)
        schedule.add(retryIn: 400_000, attempt: 4)
        var stored = DelayOverview()
        stored.buckets = DelaySchedule().rows
        stored.buckets[2].delayed = 30
        stored.forecast = [0, 6]
        schedule.add(stored)
        #expect(schedule.rows[0].retries == [3: 1] && schedule.overdue == 1)
        #expect(schedule.rows[1].retries == [2: 1] && schedule.rows[1].releaseRate == 1)
        #expect(schedule.rows[2].retries == [2: 1, 9: 1] && schedule.rows[2].delayed == 30 && schedule.rows[2].count == 32)
        #expect(schedule.forecast[0] == 2 && schedule.forecast[1] == 32 && schedule.forecast.reduce(0, +) == 34)
        #expect(schedule.forecastRates[1] == 6.4)
        #expect(schedule.nextDueMs == 0)
    }

    @Test func `a herd stands out from what is around it`() {
        let now = Timestamp(ms: 1_000_000)
        var overview = DelayOverview()
        #expect(DelayHerd(overview, now: now) == nil)
        overview.forecast = Array(repeating: 18, count: 60)
        #expect(DelayHerd(overview, now: now) == nil)
        overview.forecast[12] = 98
        let herd = DelayHerd(overview, now: now)
        #expect(herd?.at == Timestamp(ms: 1_060_000) && herd?.count == 490 && herd?.perSecond == 98)
        overview.forecast = Array(repeating: 0, count: 60)
        overview.forecast[3] = 19
        #expect(DelayHerd(overview, now: now) == nil)
    }
}

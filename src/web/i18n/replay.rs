//! The time machine.

texts! {
    Replay "replay" "REPLAY" "回放"
    ReplayNote "replay_note" "the record as of that moment; nothing here is live" "该时刻的记录，非实时"
    Rewind "rewind" "Replay the record" "回放记录"
    HourBack "hour_back" "−1 h" "−1 小时"
    MinuteBack "minute_back" "−1 min" "−1 分钟"
    MinuteOn "minute_on" "+1 min" "+1 分钟"
    HourOn "hour_on" "+1 h" "+1 小时"
    BackToLive "back_to_live" "Back to live" "返回实时"
    ReplayUnreadable "replay_unreadable" "This is no moment: write 2026-11-24T03:12:00+08:00, or UTC milliseconds." "不是可识别的时刻：请写成 2026-11-24T03:12:00+08:00 或 UTC 毫秒数。"
    ReplayFuture "replay_future" "This moment is not past: only what is recorded can be replayed." "该时刻尚未过去：只能回放已记录的内容。"
    ReplayBefore "replay_before" "Nothing is recorded of the time before this moment." "该时刻之前无记录。"
    ReplayHere "replay_here" "This page shows the present only. Overview, stops and rejects can be replayed." "本页仅显示当前；总览、停机、剔废可以回放。"
}

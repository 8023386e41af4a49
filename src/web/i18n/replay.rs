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
    ReplayHere "replay_here" "This page shows the present only. Overview, line, stops, rejects and SPC can be replayed." "本页仅显示当前；总览、产线、停机、剔废、控制图可以回放。"
    ReplayMachine "replay_machine" "Measured values of that time: see the tags." "该时刻的测量值见变量表。"
    ReplayTags "replay_tags" "as last read within {s} s before that moment; what was not read then is blank" "该时刻前 {s} 秒内最后读数；未读到的为空"
    ReplayNoTags "replay_no_tags" "◆ readings of that time are not kept any more; counts are" "◆ 该时刻的原始读数已不再保存；计数仍保留"
    ReplaySpc "replay_spc" "limits, incidents and points as of that moment; minutes as they are in the record today, later corrections included" "控制限、异常与点均截至该时刻；分钟数据按当前记录，含后来的更正"
    ReplayOnly "replay_only" "The past is only looked at." "历史仅供查看。"
}

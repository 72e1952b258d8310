use crate::source::{
    http::{Reply, TIMEOUT},
    influxdb::decode,
    tests::http,
};

fn reply(body: &str) -> Reply {
    http(TIMEOUT).reply("http://influx:8086", 200, body.into())
}

fn values(body: &str) -> Vec<f64> {
    decode(&reply(body)).unwrap().iter().map(|sample| sample.value).collect()
}

#[test]
fn annotated_answers_of_several_tables_are_read() {
    let two = "#datatype,string,long,dateTime:RFC3339,double,string\r\n#group,false,false,false,false,true\r\n\
               #default,_result,,,,\r\n,result,table,_time,_value,_field\r\n,,0,2026-01-01T00:00:00Z,1.5,a\r\n\
               ,,0,2026-01-01T00:01:00Z,9,a\r\n,,1,2026-01-01T00:00:00Z,2.5,\"b, c\"\r\n\r\n\
               #datatype,string,long,long\r\n#group,false,false,false\r\n#default,other,,\r\n,result,table,_value\r\n\
               ,other,0,7\r\n\r\n";
    assert_eq!(values(two), [9.0, 2.5, 7.0]);
    assert!(values("\r\n\r\n").is_empty());
    assert!(values(",result,table,_value\n,_result,0,\n")[0].is_nan());
}

#[test]
fn an_error_within_an_answer_is_one() {
    let error = decode(&reply(",error,reference\r\n,cannot query,897\r\n")).unwrap_err();
    assert!(error.quoting().ends_with("cannot be read: the query failed half-way: cannot query"), "{error}");
    let error = decode(&reply(",result,table,mean\r\n,_result,0,1\r\n")).unwrap_err();
    assert!(error.quoting().ends_with("there is no column _value in it: ,result,table,mean"), "{error}");
    assert!(decode(&reply(",result,table,_value\r\n,_result,0,on\r\n")).is_err());
}

#[test]
fn l5_an_empty_line_within_quotes_parts_no_tables() {
    let quoted =
        ",result,table,_value,tag\r\n,_result,0,1.5,\"a\r\n\r\nb\"\r\n\r\n,result,table,_value\r\n,b,0,2\r\n";
    assert_eq!(values(quoted), [1.5, 2.0]);
}

#[test]
fn v1_of_rows_in_the_order_of_their_times_the_newest_with_a_value_counts() {
    let table = |rows: &[(&str, &str)]| {
        let row = |(time, value): &(&str, &str)| format!(",_result,0,2026-01-01T00:0{time}:00Z,{value}\r\n");
        let rows: String = rows.iter().map(row).collect();
        values(&format!(",result,table,_time,_value\r\n{rows}\r\n"))
    };
    assert_eq!(table(&[("0", "1"), ("1", "2"), ("2", "3")]), [3.0]);
    assert_eq!(table(&[("0", "1"), ("1", "2"), ("2", "")]), [2.0]);
    assert_eq!(table(&[("0", ""), ("1", "2")]), [2.0]);
    // sorted differently: the query has put the value that counts first
    for other in [[("2", "3"), ("1", "2"), ("0", "1")], [("1", "3"), ("2", "2"), ("0", "1")]] {
        assert_eq!(table(&other), [3.0]);
    }
    assert_eq!(values(",result,table,_value\r\n,_result,0,1\r\n,_result,0,2\r\n"), [1.0]);
}

#[test]
fn l5_a_column_called_error_beside_values_is_one_of_the_users() {
    let tagged = ",result,table,_time,_value,error\r\n,_result,0,2026-01-01T00:00:00Z,3,true\r\n\
                  ,_result,1,2026-01-01T00:00:00Z,5,false\r\n\r\n";
    assert_eq!(values(tagged), [3.0, 5.0]);
}

#[test]
fn l5_a_table_that_breaks_off_is_no_table() {
    for cut in [",result,table,_value\r\n,_result,0,9", ",result,table,_value\r\n,_result,0,9\r\n,_result,1,"]
    {
        assert_eq!(decode(&reply(cut)).unwrap_err().reason(), "AnswerUndecodable", "{cut}");
    }
}

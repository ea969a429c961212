//! The dictionary with which dossier groups are compressed: what Vietnamese names, addresses, accounts and decisions
//! have in common.
//!
//! It is part of version 1 of the dossier block: a group compressed with it can be read with no other. It must never
//! be changed; a better one is a new version beside it.

/// The dictionary of version 1. What is frequent stands late, because of several equal pieces the last one is found.
pub(super) const DICTIONARY_1: &[u8] = concat!(
    // Decisions and their dates.
    "/QĐ-LĐTBXH 2019-2020-2021-2022-1/QĐ-SLĐTBXH 2023-0/QĐ-BHXH 2024-/QĐ-CTUBND 2025-/QĐ-UBND-NC 2026-",
    "0/QĐ-UBND 2023-1/QĐ-UBND 2024-0/QĐ-UBND 2024-1/QĐ-UBND 2025-0/QĐ-UBND 2025-1/QĐ-UBND 2026-0",
    "-01-05-02-10-03-15-04-20-05-25-06-30-07-01-08-12-09-18-10-22-11-28-12-31",
    // Banks and wallets.
    "Vietcombank VCB BIDV VietinBank CTG Agribank VBA Techcombank TCB MB Bank MBBank ACB Sacombank STB VPBank VPB ",
    "TPBank HDBank SHB LPBank LienVietPostBank VIB MSB OCB SeABank Eximbank Nam A Bank Bac A Bank ABBANK Kienlongbank ",
    "Ngân hàng Chính sách xã hội MoMo ZaloPay Viettel Money VNPT Money ShopeePay Co-opBank ",
    "0000000001900100110345678902100140711104500206012345678905100078900110032001",
    // Kinds of places and ways of writing an address.
    "Căn hộ Chung cư Tòa nhà tầng Lô đất Lô liền kề Khu tập thể Khu đô thị mới Khu dân cư số Khu vực Khu phố Khối phố ",
    "Khối Khóm Ấp Ấp Tân Ấp Bình Ấp An Ấp Thạnh Ấp Phú Ấp Mỹ Làng Xóm Đông Xóm Trung Xóm Thượng Xóm Hạ Bản Buôn Plei ",
    "Thôn Đông Thôn Đoài Thôn Trung Thôn Thượng Thôn Hạ Thôn Nội Thôn Ngoại Thôn Tân Thôn An Thôn Phú Tiểu khu Đội ",
    "Quốc lộ 1A, Tỉnh lộ Hương lộ Đại lộ , xã , phường , thị trấn , quận , huyện , thị xã , thành phố , tỉnh Hà Nội ",
    "Hồ Chí Minh Hải Phòng Đà Nẵng Cần Thơ Huế Đồng Nai Bắc Ninh Quảng Ninh Thanh Hóa Nghệ An An Giang Cà Mau Vĩnh Long ",
    "Gia Lai Đắk Lắk Lâm Đồng Khánh Hòa Tây Ninh Đồng Tháp Hưng Yên Ninh Bình Phú Thọ Thái Nguyên Lào Cai Sơn La ",
    "Lai Châu Điện Biên Cao Bằng Lạng Sơn Tuyên Quang Hà Tĩnh Quảng Trị Quảng Ngãi ",
    // Streets.
    "đường Nguyễn Trãi, đường Nguyễn Du, đường Nguyễn Huệ, đường Nguyễn Văn Cừ, đường Nguyễn Thị Minh Khai, ",
    "đường Ngô Quyền, đường Lý Thường Kiệt, đường Lý Thái Tổ, đường Phan Chu Trinh, đường Phan Đình Phùng, ",
    "đường Phan Bội Châu, đường Hoàng Diệu, đường Hoàng Văn Thụ, đường Võ Nguyên Giáp, đường Võ Văn Kiệt, ",
    "đường Trường Chinh, đường Phạm Văn Đồng, đường Điện Biên Phủ, đường Cách Mạng Tháng Tám, đường 30 Tháng 4, ",
    "đường Bà Triệu, đường Đinh Tiên Hoàng, đường Trần Phú, đường Trần Quốc Toản, đường Lê Thánh Tông, ",
    "đường Lê Duẩn, đường Lê Hồng Phong, đường Hai Bà Trưng, đường Hùng Vương, đường Quang Trung, ",
    "đường Nguyễn Tất Thành, đường Tôn Đức Thắng, đường Hồ Xuân Hương, đường Trần Hưng Đạo, đường Lê Lợi, ",
    "phố Hàng phố Huế, đường liên thôn, đường liên xã, tổ dân phố số khu phố 1, khu phố 2, khu phố 3, ấp 1, ấp 2, ",
    "Số nhà Số 1 ngõ Số 2 ngách Số 3 hẻm kiệt , khối phố , khóm , thôn 1, thôn 2, xóm 1, xóm 2, tổ 1, tổ 2, tổ ",
    ", đường tổ dân phố số , tổ dân phố , khu phố , ngõ , hẻm , tổ , thôn , ấp Thôn Xóm Ấp Tổ dân phố Tổ Số ",
    // Given names, alone and after the usual middle names.
    " Tuấn Anh Hoàng Anh Minh Anh Quỳnh Anh Ngọc Anh Phương Anh Đức Anh Tường Vy Thảo Vy Yến Vy Bảo Ngọc Bích Ngọc ",
    "Hồng Ngọc Yến Nhi Tuyết Nhi Bảo Hân Gia Hân Ngọc Hân Minh Thư Anh Thư Thùy Linh Khánh Linh Mỹ Linh Quỳnh Như ",
    "Kim Ngân Thanh Ngân Thu Phương Mai Phương Thanh Phương Phương Thảo Thanh Thảo Trà My Diễm My Bảo Trân Ngọc Trân ",
    "Như Quỳnh Diễm Quỳnh Đông Nghi Thùy Trang Huyền Trang Thu Trang Bích Trâm Ngọc Trâm Thùy An Bình An Anh Thy ",
    "Bảo Châu Minh Châu Anh Tuấn Minh Tuấn Quốc Tuấn Minh Hoàng Huy Hoàng Gia Huy Quang Huy Đức Huy Trung Hiếu ",
    "Minh Hiếu Mạnh Hùng Quốc Hùng Hoài Nam Thành Nam Hải Nam Thanh Sơn Ngọc Sơn Minh Đức Anh Đức Trung Dũng ",
    "Tiến Dũng Công Thành Tiến Thành Thành Đạt Tiến Đạt Quốc Đạt Mạnh Cường Quốc Cường Hùng Cường Hoàng Long Thành Long ",
    "Thành Trung Quốc Trung Quang Hải Thanh Hải Khôi Nguyên Thảo Nguyên Chiến Thắng Quyết Thắng Quang Minh Nhật Minh ",
    "Đức Duy Khánh Duy Nhật Duy Thanh Hương Thu Hương Lan Hương Thanh Hà Thu Hà Hồng Hạnh Bích Hạnh Thúy Hằng Thu Hằng ",
    "Thanh Huyền Ngọc Lan Phong Lan Thúy Nga Hồng Nhung Kim Oanh Kim Phượng Bích Phượng Minh Tâm Thanh Tâm Ngọc Thủy ",
    "Thu Thủy Thanh Thúy Kim Thoa Hồng Vân Thanh Vân Hải Yến Hoàng Yến Kim Yến Bích Liên Kim Liên Thanh Loan Phương Mai ",
    "Ngọc Mai Tuyết Mai Hồng Đào Thanh Bình Hòa Bình Quang Vinh Thế Vinh Xuân Trường Quang Trường Anh Khoa Đăng Khoa ",
    "Quốc Khánh Gia Khánh Bảo Khang Gia Khang Minh Khang Minh Quân Anh Quân Hồng Quân Hồng Phúc Gia Phúc Đức Phúc ",
    "Hoàng Phúc Minh Phúc Thiên Phú Đức Tài Hữu Tài Anh Tú Ngọc Tú Minh Trí Đức Trí Quang Vũ Anh Vũ Hải Đăng Minh Đăng ",
    "Phúc Lâm Tùng Lâm Bảo Lâm Thanh Tùng Sơn Tùng Phúc Hưng Gia Hưng Quốc Bảo Gia Bảo Thiên Bảo Văn Kiên Trung Kiên ",
    " Bích Chi Cúc Diệp Dung Duyên Giang Hà Hạnh Hằng Hiền Hoa Hòa Hồng Huệ Hương Huyền Khanh Kiều Lan Lệ Liên Loan ",
    "Lý Mai Mận Nga Nguyệt Nhàn Nhung Oanh Phượng Sen Tâm Thanh Thắm Thoa Thơm Thu Thuận Thủy Thúy Tuyết Tươi Vân ",
    "Xuân Yến Bằng Bình Chiến Chung Chương Công Cường Danh Dũng Đạt Điệp Định Đông Hải Hậu Hiệp Hiếu Hòa Hoàng Hùng ",
    "Hưng Khải Khang Khánh Khoa Khôi Kiên Kiệt Lâm Lộc Long Luân Lực Mạnh Nghĩa Nguyên Nhân Nhật Phát Phong Phúc Quân ",
    "Quang Quốc Quý Quyết Sơn Tài Tân Thái Thành Thắng Thiện Thịnh Thọ Tiến Toàn Trí Trung Trường Tú Tuấn Tùng Vinh ",
    "Trân Trâm Trang Trinh Thảo Thư Thy Quỳnh Quyên Phương Nhi Như Nghi Ngân Ngọc Linh Hân Vy My Anh Minh Nam Duy Huy ",
    // Surnames with the usual middle names.
    "Tạ Thị Tạ Văn Chu Thị Chu Văn Vương Thị Vương Văn Phùng Thị Phùng Văn Thái Thị Thái Văn Lưu Thị Lưu Văn Đào Thị ",
    "Đào Văn Mai Thị Mai Văn Lương Thị Lương Văn Cao Thị Cao Văn Đoàn Thị Đoàn Văn Lâm Thị Lâm Văn Đinh Thị Đinh Văn ",
    "Trịnh Thị Trịnh Văn Lý Thị Lý Văn Hà Thị Hà Văn Dương Thị Dương Văn Hồ Thị Hồ Văn Ngô Thị Ngô Văn Đỗ Thị Đỗ Văn ",
    "Đặng Thị Đặng Văn Bùi Thị Bùi Văn Trương Thị Trương Văn Phan Thị Phan Văn Võ Thị Võ Văn Vũ Thị Vũ Văn Huỳnh Thị ",
    "Huỳnh Văn Hoàng Thị Hoàng Văn Phạm Thị Phạm Văn Lê Thị Lê Văn Trần Thị Trần Văn Nguyễn Hữu Nguyễn Đức Nguyễn Minh ",
    "Nguyễn Quốc Nguyễn Ngọc Nguyễn Thanh Nguyễn Xuân Nguyễn Đình Nguyễn Quang Nguyễn Thành Nguyễn Hoàng Nguyễn Văn ",
    "Nguyễn Thị Thu Nguyễn Thị Thanh Nguyễn Thị Hồng Nguyễn Thị Kim Nguyễn Thị Ngọc Nguyễn Thị ",
)
.as_bytes();

#[cfg(test)]
mod tests {
    use super::DICTIONARY_1;

    #[test]
    fn the_dictionary_of_version_1_never_changes() {
        let expected = "bc5fb21628327a94e9da73633e314af3ff9ff645c242e9b3b1a3ce14141e2442";
        assert_eq!(
            (
                DICTIONARY_1.len(),
                blake3::hash(DICTIONARY_1).to_string().as_str()
            ),
            (6_877, expected)
        );
    }
}
